from allauth.account import views as allauth
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.socialaccount import views as identities
from django.urls import URLPattern, path, re_path
from django.views.decorators.cache import never_cache

from consult.accounts.adapter import github
from consult.accounts.views import (
    agencies,
    audit,
    exports,
    invitations,
    live,
    members,
    notifications,
    oauth,
    people,
    tokens,
)

app_name = "accounts"
urlpatterns = [
    path("accounts/", people.account, name="account"),
    path("accounts/profile/", people.update_profile, name="update_profile"),
    path("accounts/agencies/", people.agency_list, name="agency_list"),
    path("accounts/agencies/new/", people.create_agency, name="create_agency"),
    path("accounts/sign-in/<str:token>/", people.use_sign_in_link, name="use_sign_in_link"),
    path("<slug:agency>/settings/audit/", audit.audit_list, name="audit_list"),
    path("<slug:agency>/settings/audit.csv", audit.download_audit, name="download_audit"),
    path("accounts/sessions/", people.sign_in_list, name="sign_in_list"),
    path("accounts/sessions/end-others/", people.end_other_sign_ins, name="end_other_sign_ins"),
    path("accounts/sessions/<int:sign_in_id>/end/", people.end_sign_in, name="end_sign_in"),
    path("accounts/invitations/<str:token>/", invitations.accept_invitation, name="accept_invitation"),
    path("<slug:agency>/logo/", agencies.logo, name="logo"),
    path("<slug:agency>/settings/", agencies.agency_settings, name="agency_settings"),
    path("<slug:agency>/settings/logo/", agencies.set_logo, name="set_logo"),
    path("<slug:agency>/settings/logo/remove/", agencies.remove_logo, name="remove_logo"),
    path("<slug:agency>/settings/people/", members.member_list, name="member_list"),
    path("<slug:agency>/settings/people/invite/", members.invite_member, name="invite_member"),
    path("<slug:agency>/settings/people/leave/", members.leave_agency, name="leave_agency"),
    path("<slug:agency>/settings/people/<uuid:member_id>/role/", members.change_role, name="change_role"),
    path("<slug:agency>/settings/people/<uuid:member_id>/remove/", members.remove_member, name="remove_member"),
    path("<slug:agency>/settings/people/<uuid:member_id>/transfer/", members.transfer_agency, name="transfer_agency"),
    path(
        "<slug:agency>/settings/invitations/<uuid:invitation_id>/resend/",
        members.resend_invitation,
        name="resend_invitation",
    ),
    path(
        "<slug:agency>/settings/invitations/<uuid:invitation_id>/revoke/",
        members.revoke_invitation,
        name="revoke_invitation",
    ),
    path("<slug:agency>/settings/data/", exports.agency_data, name="agency_data"),
    path("<slug:agency>/settings/data/exports/", exports.start_export, name="start_export"),
    path("<slug:agency>/settings/data/exports/<uuid:export_id>/", exports.download_export, name="download_export"),
    path("<slug:agency>/settings/data/close/", exports.close_agency, name="close_agency"),
    path("<slug:agency>/settings/data/keep/", exports.keep_agency, name="keep_agency"),
    path(".well-known/jwks.json", oauth.jwks, name="jwks"),
    path(".well-known/oauth-authorization-server", oauth.metadata, name="oauth_metadata"),
    path("oauth/authorize", oauth.authorize, name="authorize"),
    path("oauth/token", oauth.token, name="token"),
    path("oauth/revoke", oauth.revoke, name="revoke"),
    path("<slug:agency>/notifications/", notifications.notification_list, name="notification_list"),
    path("<slug:agency>/notifications/count/", notifications.notification_count, name="notification_count"),
    path("<slug:agency>/notifications/read/", notifications.read_notifications, name="read_notifications"),
    path("<slug:agency>/notifications/choose/", notifications.choose_notifications, name="choose_notifications"),
    path("<slug:agency>/live-token/", live.live_token, name="live_token"),
    path("<slug:agency>/settings/tokens/", tokens.api_token_list, name="api_token_list"),
    path("<slug:agency>/settings/tokens/new/", tokens.create_api_token, name="create_api_token"),
    path("<slug:agency>/settings/tokens/<uuid:token_id>/revoke/", tokens.revoke_api_token, name="revoke_api_token"),
    path("<slug:agency>/settings/tokens/programs/<uuid:grant_id>/revoke/", tokens.revoke_grant, name="revoke_grant"),
]

# allauth's pages under /accounts/, one by one, by the names that allauth itself looks for: what it offers beside
# them is not reachable.
people_urlpatterns: list[URLPattern] = [
    path("login/", allauth.login, name="account_login"),
    path("logout/", allauth.logout, name="account_logout"),
    path("inactive/", allauth.account_inactive, name="account_inactive"),
    path("signup/", allauth.signup, name="account_signup"),
    path("confirm-email/", allauth.email_verification_sent, name="account_email_verification_sent"),
    path("login/code/", allauth.request_login_code, name="account_request_login_code"),
    path("login/code/confirm/", allauth.confirm_login_code, name="account_confirm_login_code"),
    path("reauthenticate/", allauth.reauthenticate, name="account_reauthenticate"),
    path("email/", allauth.email, name="account_email"),
    path("password/change/", allauth.password_change, name="account_change_password"),
    path("password/set/", allauth.password_set, name="account_set_password"),
    path("password/reset/", allauth.password_reset, name="account_reset_password"),
    path("password/reset/done/", allauth.password_reset_done, name="account_reset_password_done"),
    path(
        "password/reset/key/done/",
        allauth.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)/$",
        allauth.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("2fa/", factors.index, name="mfa_index"),
    path("2fa/authenticate/", factors.authenticate, name="mfa_authenticate"),
    path("2fa/reauthenticate/", factors.reauthenticate, name="mfa_reauthenticate"),
    path("2fa/totp/activate/", never_cache(totp.activate_totp), name="mfa_activate_totp"),
    path("2fa/totp/deactivate/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("2fa/recovery-codes/", never_cache(recovery_codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path("2fa/recovery-codes/generate/", recovery_codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("2fa/recovery-codes/download/", recovery_codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("passkeys/", passkeys.list_webauthn, name="mfa_list_webauthn"),
    path("passkeys/add/", passkeys.add_webauthn, name="mfa_add_webauthn"),
    path("passkeys/login/", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path("passkeys/reauthenticate/", passkeys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("passkeys/<int:pk>/edit/", passkeys.edit_webauthn, name="mfa_edit_webauthn"),
    path("passkeys/<int:pk>/remove/", passkeys.remove_webauthn, name="mfa_remove_webauthn"),
    path("github/", identities.connections, name="socialaccount_connections"),
    path("github/login/", github.login, name="github_login"),
    path("github/login/callback/", github.callback, name="github_callback"),
    path("github/login/cancelled/", identities.login_cancelled, name="socialaccount_login_cancelled"),
    path("github/login/error/", identities.login_error, name="socialaccount_login_error"),
    path("github/signup/", identities.signup, name="socialaccount_signup"),
]
