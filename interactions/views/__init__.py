from interactions.views.files import outgoing_media

__all__ = ["outgoing_media"]
