"""The project's pages, and one with a form that has a picker, as campaigns will have it."""

from django import forms
from django.http import HttpResponse
from django.template import RequestContext, Template
from django.urls import path

from numbers.choice import NumberChoiceField
from numbers_project.urls import handler403, handler404, handler500  # noqa: F401
from numbers_project.urls import urlpatterns as pages
from telephony.values import Capability
from workspaces.access import workspace_view
from workspaces.permissions import NUMBERS_VIEW

PAGE = Template(
    """{% extends "base.html" %}{% block content %}
    <h1>New campaign</h1>
    {% if chosen %}<p>Sends from {{ chosen }}</p>{% endif %}
    <form method="post" class="stack">{% csrf_token %}
      <label for="id_name">Name</label>
      <input type="text" id="id_name" name="name" value="{{ form.name.value|default:'' }}">
      <fieldset><legend>Sender</legend>
        {% for problem in form.sender.errors %}<p class="problem">{{ problem }}</p>{% endfor %}
        {{ form.sender }}</fieldset>
      <button class="button" type="submit">Create</button>
    </form>{% endblock content %}"""
)


class CampaignForm(forms.Form):
    name = forms.CharField()
    sender = NumberChoiceField(needs=[Capability.SMS])


@workspace_view(NUMBERS_VIEW)
def new_campaign(request):
    form = CampaignForm(request.POST or None)
    form.fields["sender"].for_workspace(request.workspace)
    chosen = form.cleaned_data["sender"] if form.is_bound and form.is_valid() else None
    return HttpResponse(PAGE.render(RequestContext(request, {"form": form, "chosen": chosen})))


urlpatterns = [
    path("w/<slug:workspace_slug>/new-campaign/", new_campaign, name="new_campaign"),
    *pages,
]
