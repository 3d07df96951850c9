from django.urls import path

from consult.accounts.views import audit, live, oauth, people, tokens

app_name = "accounts"
urlpatterns = [
    path("accounts/agencies/", people.agency_list, name="agency_list"),
    path("accounts/sign-in/<str:token>/", people.use_sign_in_link, name="use_sign_in_link"),
    path("<slug:agency>/settings/audit/", audit.audit_list, name="audit_list"),
    path("<slug:agency>/settings/audit.csv", audit.download_audit, name="download_audit"),
    path(".well-known/jwks.json", oauth.jwks, name="jwks"),
    path(".well-known/oauth-authorization-server", oauth.metadata, name="oauth_metadata"),
    path("oauth/authorize", oauth.authorize, name="authorize"),
    path("oauth/token", oauth.token, name="token"),
    path("oauth/revoke", oauth.revoke, name="revoke"),
    path("<slug:agency>/live-token/", live.live_token, name="live_token"),
    path("<slug:agency>/settings/tokens/", tokens.api_token_list, name="api_token_list"),
    path("<slug:agency>/settings/tokens/new/", tokens.create_api_token, name="create_api_token"),
    path("<slug:agency>/settings/tokens/<uuid:token_id>/revoke/", tokens.revoke_api_token, name="revoke_api_token"),
    path("<slug:agency>/settings/tokens/programs/<uuid:grant_id>/revoke/", tokens.revoke_grant, name="revoke_grant"),
]
