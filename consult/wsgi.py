"""The office's process."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consult.settings.dev")

from django.core.wsgi import get_wsgi_application

from consult.core import database

application = get_wsgi_application()

database.refuse_unsafe_role()
