"""The staff's pages: address, permission, and who draws them. A lean table, so that a chat pays nothing for it.

A page without a permission that exists cannot be made.
"""

from __future__ import annotations

from chalicelib import bounds
from chalicelib.console import permissions as may
from chalicelib.small_classes import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """`view` is `<module of views>.<function>`. `writes`: the request changes something and carries a CSRF token."""

    method: str
    path: str
    permission: str
    view: str

    def __post_init__(self) -> None:
        if self.permission not in may.KNOWN:
            raise ValueError(f"{self.path}: no permission {self.permission!r}")

    @property
    def name(self) -> str:
        return f"console_{self.view.replace('.', '_')}"

    @property
    def writes(self) -> bool:
        return self.method == "POST"

    @property
    def pace(self) -> str:
        """By what it is counted: nobody is signed in at those that are open; many of a town hall are at the others."""
        return bounds.VISITOR if self.permission == may.OPEN else bounds.CROWD

    @property
    def most(self) -> int:
        """The bytes a request brings at most."""
        return bounds.FORM if self.writes else bounds.LITTLE


PAGES = (
    Page("GET", "/console", may.OPEN, "sign_in.front"),
    Page("GET", "/console/sign-in", may.OPEN, "sign_in.show"),
    Page("POST", "/console/sign-in", may.OPEN, "sign_in.enter"),
    Page("POST", "/console/sign-in/answer", may.OPEN, "sign_in.answer"),
    Page("GET", "/console/voice", may.OPEN, "sign_in.voice"),
    Page("POST", "/console/sign-out", may.OWN, "sign_in.leave"),
    Page("POST", "/console/sign-out/everywhere", may.OWN, "sign_in.leave_everywhere"),
    Page("GET", "/console/stay", may.OWN, "sign_in.stay"),
    Page("GET", "/console/inbox", may.CASES, "inbox.show"),
    Page("GET", "/console/inbox/rest", may.CASES, "inbox.rest"),
    Page("GET", "/console/inbox/news", may.CASES, "inbox.news"),
    Page("GET", "/console/search", may.CASES, "inbox.search"),
    Page("GET", "/console/live", may.CHATS, "live.show"),
    Page("GET", "/console/live/queue", may.CHATS, "live.queue"),
    Page("GET", "/console/live/{reference}", may.CHATS, "live.chat"),
    Page("GET", "/console/live/{reference}/said", may.CHATS, "live.said"),
    Page("POST", "/console/live/{reference}/take", may.CHATS, "live.take"),
    Page("POST", "/console/live/{reference}/answer", may.CHATS, "live.answer"),
    Page("POST", "/console/live/{reference}/upload", may.CHATS, "live.upload"),
    Page("POST", "/console/live/{reference}/send", may.CHATS, "live.send"),
    Page("POST", "/console/live/{reference}/hand", may.CHATS, "live.hand"),
    Page("POST", "/console/live/{reference}/close", may.CHATS, "live.close"),
    Page("GET", "/console/cases/{reference}", may.CASES, "case.show"),
    Page("GET", "/console/cases/{reference}/standing", may.CASES, "case.standing"),
    Page("POST", "/console/cases/{reference}/claim", may.CASES, "case.claim"),
    Page("POST", "/console/cases/{reference}/release", may.CASES, "case.release"),
    Page("POST", "/console/cases/{reference}/preview", may.CASES, "case.preview"),
    Page("POST", "/console/cases/{reference}/change", may.CASES, "case.change"),
    Page("POST", "/console/cases/{reference}/note", may.CASES, "case.note"),
    Page("POST", "/console/cases/{reference}/called", may.CASES, "case.called"),
    Page("POST", "/console/cases/{reference}/unmask", may.CASES, "case.unmask"),
    Page("POST", "/console/cases/{reference}/complete", may.CASES, "case.complete"),
    Page("POST", "/console/cases/{reference}/assign", may.STEER, "case.assign"),
    Page("POST", "/console/cases/{reference}/deadline", may.STEER, "case.move_deadline"),
    Page("POST", "/console/cases/{reference}/block", may.CASES, "case.block"),
    Page("POST", "/console/cases/{reference}/unblock", may.CASES, "case.unblock"),
    Page("POST", "/console/cases/{reference}/company", may.CASES, "company.hand"),
    Page("POST", "/console/cases/{reference}/company/revoke", may.CASES, "company.revoke"),
    Page("GET", "/console/cases/{reference}/files/{number}", may.CASES, "case.file"),
    Page("GET", "/console/cases/{reference}/print", may.CASES, "case.printed"),
    Page("GET", "/crew/{token}", may.OPEN, "crew.show"),
    Page("POST", "/crew/{token}", may.OPEN, "crew.act"),
    Page("POST", "/crew/{token}/upload", may.OPEN, "crew.upload"),
    Page("GET", "/crew/{token}/files/{number}", may.OPEN, "crew.file"),
    Page("GET", "/help/{token}", may.OPEN, "help.show"),
    Page("POST", "/help/{token}", may.OPEN, "help.act"),
    Page("GET", "/console/volunteers", may.VOLUNTEERS, "volunteers.show"),
    Page("POST", "/console/volunteers/{reference}/approve", may.VOLUNTEERS, "volunteers.approve"),
    Page("POST", "/console/volunteers/{reference}/decline", may.VOLUNTEERS, "volunteers.decline"),
    Page("POST", "/console/volunteers/{reference}/suspend", may.VOLUNTEERS, "volunteers.suspend"),
    Page("POST", "/console/volunteers/{reference}/mail", may.VOLUNTEERS, "volunteers.reach_by"),
    Page("GET", "/console/missed", may.CONTENT, "missed.show"),
    Page("POST", "/console/missed/dismiss", may.CONTENT, "missed.dismiss"),
    Page("POST", "/console/missed/phrase", may.CONTENT, "content_form.add_phrase"),
    Page("POST", "/console/missed/answer", may.CONTENT, "content_form.answer"),
    Page("GET", "/console/content", may.CONTENT, "content.show"),
    Page("GET", "/console/content/edit/{room}/{name}", may.CONTENT, "content_form.edit"),
    Page("POST", "/console/content/edit/{room}/{name}", may.CONTENT, "content_form.save"),
    Page("POST", "/console/content/edit/{room}/{name}/undo", may.CONTENT, "content_form.undo"),
    Page("GET", "/console/content/edit/{room}/{name}/remove", may.CONTENT, "content_remove.ask"),
    Page("POST", "/console/content/edit/{room}/{name}/remove", may.CONTENT, "content_remove.remove"),
    Page("POST", "/console/content/edit/{room}/{name}/restore", may.CONTENT, "content_remove.restore"),
    Page("GET", "/console/content/new/{room}", may.CONTENT, "content_form.new"),
    Page("POST", "/console/content/new/{room}", may.CONTENT, "content_form.add"),
    Page("GET", "/console/content/look", may.CONTENT, "content.look"),
    Page("GET", "/console/content/try", may.CONTENT, "content.rehearse"),
    Page("POST", "/console/content/try", may.CONTENT, "content.rehearse_on"),
    Page("POST", "/console/content/publish", may.CONTENT, "content.publish"),
    Page("GET", "/console/content/versions", may.CONTENT, "content.versions"),
    Page("POST", "/console/content/versions", may.CONTENT, "content.put_back"),
    Page("GET", "/console/content/state", may.CONTENT, "content.state"),
    Page("GET", "/console/announcements", may.ANNOUNCE, "announcements.show"),
    Page("POST", "/console/announcements", may.ANNOUNCE, "announcements.write"),
    Page("GET", "/console/announcements/new", may.ANNOUNCE, "announcements.new"),
    Page("GET", "/console/invitations", may.ANNOUNCE, "invitations.show"),
    Page("POST", "/console/invitations", may.ANNOUNCE, "invitations.write"),
    Page("GET", "/console/invitations/{identifier}", may.ANNOUNCE, "invitations.one"),
    Page("POST", "/console/invitations/{identifier}/approve", may.APPROVE, "invitations.approve"),
    Page("POST", "/console/invitations/{identifier}/stop", may.ANNOUNCE, "invitations.stop"),
    Page("GET", "/console/announcements/{identifier}", may.ANNOUNCE, "announcements.one"),
    Page("GET", "/console/announcements/{identifier}/edit", may.ANNOUNCE, "announcements.edit"),
    Page("POST", "/console/announcements/{identifier}/edit", may.ANNOUNCE, "announcements.rewrite"),
    Page("POST", "/console/announcements/{identifier}/upload", may.ANNOUNCE, "announcements.upload"),
    Page("POST", "/console/announcements/{identifier}/picture", may.ANNOUNCE, "announcements.picture"),
    Page("GET", "/console/announcements/{identifier}/state", may.ANNOUNCE, "announcements.state"),
    Page("POST", "/console/announcements/{identifier}/approve", may.APPROVE, "announcements.approve"),
    Page("POST", "/console/announcements/{identifier}/stop", may.ANNOUNCE, "announcements.stop"),
    Page("POST", "/console/announcements/{identifier}/resume", may.APPROVE, "announcements.resume"),
    Page("POST", "/console/announcements/{identifier}/page", may.APPROVE, "announcements.decide"),
    Page("GET", "/console/figures", may.FIGURES, "figures.show"),
    Page("GET", "/console/figures.csv", may.FIGURES, "figures.table"),
    Page("GET", "/console/counter", may.COUNTER, "counter.show"),
    Page("POST", "/console/counter", may.COUNTER, "counter.register"),
    Page("POST", "/console/counter/slip", may.COUNTER, "counter.print_again"),
    Page("GET", "/console/counter/import", may.COUNTER, "imports.show"),
    Page("POST", "/console/counter/import", may.COUNTER, "imports.begin"),
    Page("GET", "/console/counter/import/{job}", may.COUNTER, "imports.progress"),
    Page("GET", "/console/counter/import/{job}/rows", may.COUNTER, "imports.rows"),
    Page("GET", "/console/systems", may.SYSTEMS, "systems.show"),
    Page("POST", "/console/systems/{callback}/again", may.SYSTEMS, "systems.again"),
    Page("GET", "/console/audit", may.AUDIT, "audit.show"),
    Page("GET", "/console/systems/open311", may.AUDIT, "open311.show"),
    Page("POST", "/console/systems/open311/again", may.AUDIT, "open311.again"),
    Page("GET", "/console/kept", may.AUDIT, "kept.show"),
    Page("GET", "/console/account", may.OWN, "account.show"),
    Page("POST", "/console/account/language", may.OWN, "account.speak"),
    Page("POST", "/console/account/absence", may.OWN, "account.be_away"),
    Page("POST", "/console/account/code", may.OWN, "account.begin_code"),
    Page("POST", "/console/account/code/first", may.OWN, "account.finish_code"),
    Page("POST", "/console/account/code/off", may.OWN, "account.end_code"),
    Page("POST", "/console/account/reminders", may.OWN, "account.begin_reminders"),
    Page("POST", "/console/account/reminders/off", may.OWN, "account.end_reminders"),
    Page("GET", "/console/staff", may.STAFF, "staff.show"),
    Page("GET", "/console/staff/new", may.STAFF, "staff.blank"),
    Page("POST", "/console/staff/new", may.STAFF, "staff.invite"),
    Page("GET", "/console/staff/{person}", may.STAFF, "staff.person"),
    Page("POST", "/console/staff/{person}/work", may.STAFF, "staff.give_work"),
    Page("POST", "/console/staff/{person}/absence", may.STAFF, "staff.send_away"),
    Page("POST", "/console/staff/{person}/out", may.STAFF, "staff.shut_out"),
    Page("POST", "/console/staff/{person}/in", may.STAFF, "staff.let_in"),
    Page("POST", "/console/staff/{person}/password", may.STAFF, "staff.renew_password"),
    Page("GET", "/console/keys", may.KEYS, "keys.show"),
    Page("POST", "/console/keys", may.KEYS, "keys.make"),
    Page("POST", "/console/keys/{key}/revoke", may.KEYS, "keys.revoke"),
    Page("GET", "/console/towns", may.TOWNS, "towns.show"),
    Page("POST", "/console/towns/in", may.TOWNS, "towns.go_in"),
    Page("GET", "/console/towns/{town}/given-up", may.TOWNS, "given_up.show"),
    Page("POST", "/console/towns/{town}/given-up", may.TOWNS, "given_up.again"),
    Page("POST", "/console/towns/out", may.TOWNS, "towns.leave"),
)
