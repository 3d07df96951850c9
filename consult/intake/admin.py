from django.contrib import admin

from consult.core.admin import Records
from consult.intake import models

admin.site.register(models.Site, Records)
admin.site.register(models.Form, Records)
admin.site.register(models.FormVersion, Records)
admin.site.register(models.Submission, Records)
admin.site.register(models.File, Records)
admin.site.register(models.SetAside, Records)
admin.site.register(models.Tally, Records)
admin.site.register(models.Alarm, Records)
admin.site.register(models.Block, Records)
