"""How allauth behaves here: its adapters, its forms, and what happens when it tells of something."""
