from django.urls import path

from consult.crm.views import companies, contacts, deals, fields, merges, notes

app_name = "crm"
urlpatterns = [
    path("contacts/", contacts.contact_list, name="contact_list"),
    path("contacts/new/", contacts.create_contact, name="create_contact"),
    path("contacts/<uuid:contact_id>/", contacts.contact_detail, name="contact_detail"),
    path("contacts/<uuid:contact_id>/edit/", contacts.update_contact, name="update_contact"),
    path("contacts/<uuid:id>/notes/", notes.add_note, {"place": "contact"}, name="add_contact_note"),
    path("contacts/<uuid:id>/labels/", notes.set_labels, {"place": "contact"}, name="set_contact_labels"),
    path("contacts/<uuid:contact_id>/merge/<uuid:other_id>/", merges.merge_contacts, name="merge_contacts"),
    path("contacts/<uuid:contact_id>/apart/<uuid:other_id>/", merges.tell_apart, name="tell_apart"),
    path("contacts/<uuid:contact_id>/unmerge/<uuid:merge_id>/", merges.unmerge_contacts, name="unmerge_contacts"),
    path("own-fields/", fields.create_field, name="create_field"),
    path("own-fields/<uuid:field_id>/retire/", fields.retire_field, name="retire_field"),
    path("companies/", companies.company_list, name="company_list"),
    path("companies/new/", companies.create_company, name="create_company"),
    path("companies/<uuid:company_id>/", companies.company_detail, name="company_detail"),
    path("companies/<uuid:company_id>/edit/", companies.update_company, name="update_company"),
    path("companies/<uuid:id>/notes/", notes.add_note, {"place": "company"}, name="add_company_note"),
    path("companies/<uuid:id>/labels/", notes.set_labels, {"place": "company"}, name="set_company_labels"),
    path("deals/", deals.deal_board, name="deal_board"),
    path("deals/list/", deals.deal_list, name="deal_list"),
    path("deals/new/", deals.create_deal, name="create_deal"),
    path("deals/<uuid:deal_id>/", deals.deal_detail, name="deal_detail"),
    path("deals/<uuid:deal_id>/edit/", deals.update_deal, name="update_deal"),
    path("deals/<uuid:deal_id>/move/", deals.move_deal, name="move_deal"),
    path("deals/<uuid:deal_id>/win/", deals.win_deal, name="win_deal"),
    path("deals/<uuid:deal_id>/lose/", deals.lose_deal, name="lose_deal"),
    path("deals/<uuid:deal_id>/reopen/", deals.reopen_deal, name="reopen_deal"),
    path("deals/<uuid:id>/notes/", notes.add_note, {"place": "deal"}, name="add_deal_note"),
    path("deals/<uuid:id>/labels/", notes.set_labels, {"place": "deal"}, name="set_deal_labels"),
]
