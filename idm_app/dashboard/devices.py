"""Who may use the server: pairing the extension, tokens, signing out."""

from nicegui import ui

from idm_app.access import Access, Scope
from idm_app.access.keyring import Token
from idm_app.access.pairings import Pairing
from idm_app.dashboard.own_address import address_elsewhere, picture
from idm_app.dashboard.toast import toast
from idm_app.dashboard.words import Words
from idm_app.errors import Refused, UnknownToken
from idm_app.settings import Options
from idm_app.units import format_duration, utc_now

_LOOK_AGAIN_SECONDS = 1.0
_SCOPES = {
    "add": (Scope.SUBMIT,),
    "control": (Scope.SUBMIT, Scope.CONTROL),
    "everything": (Scope.ADMIN,),
}
_LEAVE = "fetch('api/logout{0}', {{method: 'POST'}}).finally(() => location.replace('login'))"
"""In the browser: the session cookie is out of every script's reach, and of ours."""


class DevicesDialog:
    """A dialog. What it shows is made when it opens and kept up to date until it is closed."""

    def __init__(self, access: Access, options: Options, page: str, words: Words) -> None:
        """``page``: the address at which the browser has found us."""
        self._access = access
        self._options = options
        self._page = page
        self._words = words
        self._client = ui.context.client
        self._pairing: Pairing | None = None
        self._shown: list[Token] | None = None
        self._dialog = ui.dialog().props(f'transition-duration=120 aria-label="{self._words("devices.title")}"')
        self._dialog.on_value_change(self._on_toggled)
        with self._dialog:
            self._card = ui.card().classes("sheet wide devices")
        self._timer = ui.timer(_LOOK_AGAIN_SECONDS, self._look_again, active=False)

    def open(self) -> None:
        """Show it."""
        self._card.clear()
        self._shown = None
        with self._card:
            ui.label(self._words("devices.title")).classes("heading")
            ui.label(
                self._words("devices.hint") if self._access.needs_sign_in else self._words("devices.hint_on_loopback")
            ).classes("hint")
            with ui.element("div").classes("buttons"):
                ui.button(self._words("devices.pair"), icon="extension", on_click=self._pair).props(
                    "unelevated no-caps"
                )
                ui.link(self._words("extension.title"), "extension").classes("to-extension")
                ui.button(self._words("devices.new_token"), icon="key", on_click=self._ask_for_token).props(
                    "flat no-caps"
                )
            self._news = ui.element("div").classes("news").props("aria-live=polite")
            self._list = ui.element("ul").classes("tokens")
            with ui.element("div").classes("answers"):
                if self._access.needs_sign_in:
                    ui.button(
                        self._words("devices.sign_out_everywhere"), on_click=lambda: self._leave("/everywhere")
                    ).props("flat no-caps")
                    ui.button(self._words("devices.sign_out"), on_click=lambda: self._leave("")).props("flat no-caps")
                ui.button(self._words("devices.close"), on_click=self._dialog.close).props("unelevated no-caps")
        self._look_again()
        self._dialog.open()

    def _on_toggled(self) -> None:
        self._timer.active = bool(self._dialog.value)
        if not self._dialog.value:
            self._pairing = None
            self._card.clear()

    def _look_again(self) -> None:
        if self._pairing is not None:
            self._show_pairing(self._pairing)
        tokens = self._access.tokens()
        if tokens != self._shown:
            self._shown = tokens
            self._show_tokens(tokens)

    # -- pairing

    def _pair(self) -> None:
        self._pairing = self._access.open_pairing()
        self._news.clear()
        with self._news:
            address, code = address_elsewhere(self._options, self._page) or self._page, self._pairing.code
            picture(f"{address}#pair={code}", self._words("devices.picture"))
            with ui.element("div"):
                ui.label(self._words("devices.type_code"))
                ui.label(address).classes("address").props("dir=ltr")
                ui.label(code).classes("code")
                self._countdown = ui.label().classes("hint")
        self._show_pairing(self._pairing)

    def _show_pairing(self, pairing: Pairing) -> None:
        if self._access.is_open(pairing.code):
            left = (pairing.expires_at - utc_now()).total_seconds()
            self._countdown.text = self._words("devices.code_ends", time=format_duration(left))
            return
        self._pairing = None
        tokens = self._access.tokens()
        is_used = self._shown is not None and len(tokens) > len(self._shown)
        self._tell(
            self._words("devices.paired", name=tokens[-1].name) if is_used else self._words("devices.code_expired")
        )

    # -- tokens

    def _ask_for_token(self) -> None:
        self._pairing = None
        self._news.clear()
        with self._news, ui.element("form").classes("new-token") as form:
            name = ui.input(self._words("devices.name")).props(
                "outlined dense autofocus maxlength=100 autocomplete=off"
            )
            scopes = ui.select(
                {key: self._words(f"devices.may_{key}") for key in _SCOPES},
                value="control",
                label=self._words("devices.may"),
            ).props("outlined dense")
            ui.button(self._words("devices.make")).props("type=submit unelevated no-caps")

        async def make() -> None:
            try:
                _, secret = await self._access.add_token(
                    name.value.strip()[:100] or self._words("devices.unnamed"), _SCOPES[scopes.value]
                )
            except Refused as error:
                self._tell(self._words.refusal(error))
                return
            self._news.clear()
            with self._news:
                ui.label(self._words("devices.token_once"))
                ui.input(value=secret).props(
                    f'outlined dense readonly aria-label="{self._words("devices.token")}"'
                ).classes("code")
            self._look_again()

        form.on("submit.prevent", make)

    def _show_tokens(self, tokens: list[Token]) -> None:
        self._list.clear()
        with self._list:
            if not tokens:
                with ui.element("li").classes("hint"):
                    ui.label(self._words("devices.none"))
            for token in tokens:
                self._show_token(token)

    def _show_token(self, token: Token) -> None:
        used = self._words("devices.never_used")
        if token.last_used_at is not None:
            ago = format_duration((utc_now() - token.last_used_at).total_seconds())
            used = self._words("devices.used", time=ago)
        with ui.element("li"):
            with ui.element("div"):
                ui.label(token.name).classes("heading")
                ui.label(f"{self._may(token)} · {used}").classes("hint")
            revoke = ui.button(self._words("devices.revoke"), on_click=lambda: self._revoke(token)).props(
                "flat no-caps color=negative"
            )
            revoke.props["aria-label"] = f"{self._words('devices.revoke')} {token.name}"

    def _may(self, token: Token) -> str:
        granted = set(token.scopes)
        found = next((key for key, scopes in _SCOPES.items() if granted == set(scopes)), None)
        return ", ".join(token.scopes) if found is None else self._words(f"devices.may_{found}")

    async def _revoke(self, token: Token) -> None:
        try:
            await self._access.revoke(token.id)
        except UnknownToken:
            pass  # another tab was faster
        except Refused as error:
            self._tell(self._words.refusal(error))
            return
        toast(self._client, self._words("devices.revoked", name=token.name), "info")
        self._look_again()

    # -- leaving

    def _leave(self, where: str) -> None:
        ui.run_javascript(_LEAVE.format(where))

    def _tell(self, text: str) -> None:
        self._news.clear()
        with self._news:
            ui.label(text)
