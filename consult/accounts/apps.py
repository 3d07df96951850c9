from django.apps import AppConfig
from django.db.models.signals import post_migrate


class Accounts(AppConfig):
    name = "consult.accounts"
    label = "accounts"

    def ready(self) -> None:
        from consult.accounts.adapter import account, github
        from consult.core import grants

        # Sent once for each app with models, after all of them are migrated; here stands in for core, which has none.
        post_migrate.connect(grants.after_migrate, sender=self)
        account.listen()
        github.listen()
