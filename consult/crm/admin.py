from django.contrib import admin

from consult.core.admin import Records
from consult.crm import models

admin.site.register(models.Client, Records)
