from django.urls import path

from interactions import views

app_name = "interactions"
urlpatterns = [
    path("inbox/", views.index, name="index"),
    path("inbox/pictures/<slug:public_id>/", views.picture, name="picture"),
    path("inbox/voicemails/<slug:public_id>/", views.voicemail, name="voicemail"),
    path("inbox/of-line/<slug:public_id>/", views.of_line, name="of_line"),
    path("inbox/<slug:public_id>/", views.conversation, name="conversation"),
    path("inbox/<slug:public_id>/reply/", views.reply, name="reply"),
    path("inbox/<slug:public_id>/cost/", views.cost, name="cost"),
    path("inbox/<slug:public_id>/seen/", views.seen, name="seen"),
    path("numbers/<slug:number_id>/test/", views.test, name="test"),
    path("numbers/<slug:number_id>/test/start/", views.start, name="start_test"),
    path("numbers/<slug:number_id>/test/<slug:public_id>/", views.test_result, name="test_result"),
    path("rates/", views.rates, name="rates"),
    path("numbers/<slug:number_id>/route/", views.route, name="route"),
    path("numbers/<slug:number_id>/route/calls/", views.save_voice, name="save_voice_route"),
    path(
        "numbers/<slug:number_id>/route/messages/", views.save_messages, name="save_message_route"
    ),
]
