"""The edge: takes what the internet sends, answers after commit, streams live events. Knows no Django."""
