"""The office's process. It wants to be told its settings: a forgotten variable must not start the embedded database."""

from django.core.wsgi import get_wsgi_application

from consult.core import database

application = get_wsgi_application()

database.refuse_unsafe_role()
