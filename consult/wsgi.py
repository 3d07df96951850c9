"""The office's process. It wants to be told its settings: a forgotten variable must not start the embedded database."""

import gc

from django.core.wsgi import get_wsgi_application

from consult.core import database

application = get_wsgi_application()

database.refuse_unsafe_role()

# A page makes tens of thousands of objects that live as long as it does. Looking through them at every 700th, as Python
# does by itself, took a quarter of a page's time (bench/office.py); and what was loaded stays.
gc.freeze()
gc.set_threshold(50_000, 20, 50)
