"""What a browser calls itself, in words a person knows it by."""

# The first that occurs: browsers also name those that they resemble.
BROWSERS = {
    "Edg": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "FxiOS": "Firefox",
    "Chrome/": "Chrome", "CriOS": "Chrome", "Safari/": "Safari", "curl/": "curl",
}  # fmt: skip
SYSTEMS = {
    "Windows": "Windows", "iPhone": "iPhone", "iPad": "iPad", "Mac OS X": "Mac",
    "Android": "Android", "CrOS": "ChromeOS", "Linux": "Linux",
}  # fmt: skip


def in_words(user_agent: str) -> str:
    """``Firefox on Linux``; what is not known is left out."""
    browser = next((name for sign, name in BROWSERS.items() if sign in user_agent), "")
    system = next((name for sign, name in SYSTEMS.items() if sign in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or "A browser that does not say its name"
