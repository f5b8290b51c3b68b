# SPDX-License-Identifier: MIT
"""What Kodi gives its add-ons, as far as the scrapers of films and shows use it, and a way to run them: run(addon, argv,
settings) starts the add-on as Kodi does and gives what it handed over. Requests to api.themoviedb.org go to the mirror,
unless KODI_HOST is set: then the add-on finds that name by itself."""
import io
import os
import runpy
import sys
import tempfile
import types
import urllib.error
import urllib.request
import xml.etree.ElementTree as xml

from mirror import BASE, note

FOLDER = os.environ["CLIENTS_KODI"]
TMDB = "https://api.themoviedb.org"


class ToTheMirror(urllib.request.BaseHandler):
    handler_order = 100

    def https_open(self, request):
        if not request.full_url.startswith(TMDB):
            raise urllib.error.URLError(f"the tests of the clients ask nobody but the mirror: {request.full_url}")
        url = BASE + request.full_url[len(TMDB):]
        try:
            answer = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                urllib.request.Request(url, headers=dict(request.header_items())), timeout=60)
        except urllib.error.HTTPError as error:
            note(url, error.code, error.read())
            raise
        text = answer.read()
        note(url, answer.status, text)
        given = urllib.response.addinfourl(io.BytesIO(text), answer.headers, url, answer.status)
        given.msg = answer.msg
        return given


if not os.environ.get("KODI_HOST"):
    urllib.request.install_opener(urllib.request.build_opener(ToTheMirror))


class Said(dict):
    """What an object was told: method -> list of its arguments. Methods that are called get* give another of these."""

    def __getattr__(self, method):
        if method.startswith("__"):
            raise AttributeError(method)
        if method == "getVideoInfoTag":
            return lambda: self.setdefault("tag", Said())

        def told(*args, **named):
            self.setdefault(method, []).append(args + tuple(named.items()) if named else args)
        return told


class Addon:
    folder = None
    settings = {}

    def __init__(self, *_):
        tree = xml.parse(os.path.join(self.folder, "resources", "settings.xml"))
        self.defaults = {}
        for one in tree.iter("setting"):
            default = one.get("default") if one.get("default") is not None else one.findtext("default")
            self.defaults[one.get("id")] = default or ""

    def getAddonInfo(self, name):
        return xml.parse(os.path.join(self.folder, "addon.xml")).getroot().get(name) or ""

    def getSettingString(self, name):
        return str(self.settings.get(name, self.defaults.get(name, "")))

    getSetting = getSettingString

    def getSettingBool(self, name):
        return self.getSettingString(name).lower() == "true"

    def getSettingInt(self, name):
        return int(self.getSettingString(name) or 0)

    def setSetting(self, name, value):
        self.settings[name] = value


def _modules(handed_over):
    xbmc = types.ModuleType("xbmc")
    xbmc.LOGDEBUG, xbmc.LOGINFO, xbmc.LOGWARNING, xbmc.LOGERROR = range(4)

    def log(msg, level=0):
        if level >= xbmc.LOGWARNING:
            handed_over["warnings"].append(msg)
    xbmc.log = log
    xbmc.Actor = lambda *args, **named: args
    xbmc.VideoStreamDetail = lambda *args, **named: named
    xbmc.getInfoLabel = lambda *_: ""
    addon = types.ModuleType("xbmcaddon")
    addon.Addon = Addon
    gui = types.ModuleType("xbmcgui")
    gui.NOTIFICATION_WARNING = "warning"

    def list_item(label="", **_):
        return Said(label=label)
    gui.ListItem = list_item
    gui.Dialog = lambda: types.SimpleNamespace(notification=lambda *args: handed_over["warnings"].append(args))
    plugin = types.ModuleType("xbmcplugin")
    plugin.addDirectoryItem = lambda handle, url, listitem, isFolder=False: handed_over["items"].append((url, listitem))
    plugin.setResolvedUrl = lambda handle, succeeded, listitem: handed_over["resolved"].append((succeeded, listitem))
    plugin.endOfDirectory = lambda handle: None
    vfs = types.ModuleType("xbmcvfs")
    vfs.translatePath = lambda path: handed_over["temporary"]
    vfs.exists = os.path.exists
    vfs.mkdir = lambda path: os.makedirs(path, exist_ok=True)
    return {m.__name__: m for m in (xbmc, addon, gui, plugin, vfs)}


def run(addon, script, argv, settings, temporary=None):
    """Starts it in this process, with fresh modules; an exception is the add-on's own."""
    folder = os.path.join(FOLDER, addon)
    handed_over = {"items": [], "resolved": [], "warnings": [], "temporary": temporary or tempfile.mkdtemp()}
    before = (dict(sys.modules), list(sys.path), list(sys.argv))
    Addon.folder, Addon.settings = folder, dict(settings)
    sys.modules.update(_modules(handed_over))
    sys.path.insert(0, os.path.dirname(os.path.join(folder, script)))
    sys.argv = argv
    try:
        runpy.run_path(os.path.join(folder, script), run_name="__main__")
    finally:
        for name in set(sys.modules) - set(before[0]):
            if name.split(".")[0] in ("lib", "libs", "scraper_config", "scraper_datahelper") or name.startswith("xbmc"):
                del sys.modules[name]
        sys.path[:], sys.argv = before[1], before[2]
    return handed_over
