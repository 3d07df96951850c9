from django.urls import path

from consult.accounts.views import agencies, audit, exports, invitations, live, members, oauth, people, tokens

app_name = "accounts"
urlpatterns = [
    path("accounts/agencies/", people.agency_list, name="agency_list"),
    path("accounts/sign-in/<str:token>/", people.use_sign_in_link, name="use_sign_in_link"),
    path("<slug:agency>/settings/audit/", audit.audit_list, name="audit_list"),
    path("<slug:agency>/settings/audit.csv", audit.download_audit, name="download_audit"),
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
    path("<slug:agency>/live-token/", live.live_token, name="live_token"),
    path("<slug:agency>/settings/tokens/", tokens.api_token_list, name="api_token_list"),
    path("<slug:agency>/settings/tokens/new/", tokens.create_api_token, name="create_api_token"),
    path("<slug:agency>/settings/tokens/<uuid:token_id>/revoke/", tokens.revoke_api_token, name="revoke_api_token"),
    path("<slug:agency>/settings/tokens/programs/<uuid:grant_id>/revoke/", tokens.revoke_grant, name="revoke_grant"),
]
