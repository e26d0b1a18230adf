"""Attachments for programs: upload, content, deletion. Their list and description are those of every entity."""

from __future__ import annotations

from apispec import APISpec
from flask import Blueprint, Response, current_app, request
from flask_appbuilder import AppBuilder
from flask_appbuilder.api import BaseApi, expose
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _

from backoffice.actors import Action
from backoffice.errors import BadRequest
from backoffice.files.store import get_content
from backoffice.operations.attachments import ReasonMissing, attach_file, remove_attachment
from backoffice.records.lookup import get_record
from models.attachment import PARENTS, Attachment
from models.base import ENTITIES, Recorded
from views.door import commit, current_actor, current_session
from views.downloads import file_response
from views.generated import documents, openapi
from views.generated.api import answer, by_token, tag_of
from views.generated.api_requests import json_object
from views.problems import answer_with_problems
from views.uploads import sent_files

_SENT = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "description": {"type": "string", "maxLength": 160},
        "client_visible": {"type": "string", "enum": ["0", "1"]},
        **{name: {"type": "integer", "description": f"The {name} it belongs to; exactly one."} for name in PARENTS},
    },
}
_WHY = {"type": "object", "required": ["reason"], "properties": {"reason": {"type": "string", "maxLength": 500}}}


class AttachmentFileApi(BaseApi):
    """The content of attachments; rights and scope are those of the record each belongs to."""

    resource_name = "attachment"
    class_permission_name = Attachment.__table__.name
    openapi_spec_tag = "Attachment"
    allow_browser_login = False

    def create_blueprint(
        self, appbuilder: AppBuilder, endpoint: str | None = None, static_folder: str | None = None
    ) -> Blueprint:
        blueprint: Blueprint = super().create_blueprint(appbuilder, endpoint, static_folder)
        answer_with_problems(blueprint)
        return blueprint

    def add_api_spec(self, api_spec: APISpec) -> None:
        """Describe the endpoints beside those generated for the entity."""
        base, tags = str(self.route_base), [self.openapi_spec_tag]
        upload = openapi.operation("Attach a file", [], {"201": openapi.record("Attachment")})
        upload["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": _SENT}}}
        content = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
        download = openapi.operation("Read the file", [openapi.ID], {"200": {"description": "It", "content": content}})
        remove = openapi.operation("Delete", [openapi.ID], {"204": {"description": "Gone"}})
        remove["requestBody"] = {"required": True, "content": {"application/json": {"schema": _WHY}}}
        api_spec.path(path=f"{base}/add", operations={"post": {**upload, "tags": tags}})
        api_spec.path(path=f"{base}/{{pk}}/file", operations={"get": {**download, "tags": tags}})
        api_spec.path(path=f"{base}/{{pk}}/remove", operations={"post": {**remove, "tags": tags}})

    @expose("/add", methods=("POST",))
    @permission_name("list")
    @by_token
    def add(self) -> Response:
        """Attach the file sent to the record that is named."""
        actor = current_actor()
        actor.require(Action.create, Attachment)
        files = sent_files("file")
        if len(files) != 1:
            raise BadRequest(reason=_("it must have one file, with its name, in a part called “file”."))
        ((name, content),) = files
        attachment = attach_file(
            current_session(),
            _parent_named(),
            name,
            content,
            store=current_app.extensions["files"],
            limit_mb=current_app.config["MAX_ATTACHMENT_MB"],
            actor=actor,
            description=request.form.get("description", ""),
            client_visible=request.form.get("client_visible") == "1",
        )
        commit()
        location = {"Location": f"{request.script_root}{self.route_base}/{attachment.id}"}
        return answer(documents.document(attachment, actor), 201, location | tag_of(attachment))

    @expose("/<pk>/file")
    @permission_name("list")
    @by_token
    def file(self, pk: str) -> Response:
        """Send the content, to be saved."""
        current_actor().require(Action.read, Attachment)
        attachment = get_record(current_session(), Attachment, pk)
        content = get_content(current_app.extensions["files"], attachment.sha256)
        return file_response(content, attachment.name, attachment.media_type, inline=False)

    @expose("/<pk>/remove", methods=("POST",))
    @permission_name("list")
    @by_token
    def remove(self, pk: str) -> Response:
        """Delete an attachment for a reason, which its record's history keeps."""
        actor = current_actor()
        actor.require(Action.delete, Attachment)
        attachment = get_record(current_session(), Attachment, pk)
        body = json_object()
        reason = body.get("reason") if isinstance(body, dict) else None
        if not isinstance(reason, str):
            raise ReasonMissing(field="reason")
        remove_attachment(current_session(), attachment, reason, actor=actor)
        commit()
        return Response(status=204)


def _parent_named() -> Recorded:
    """Return the one record that the form names as ``table=key``."""
    named = [name for name in PARENTS if request.form.get(name)]
    if len(named) != 1:
        raise BadRequest(reason=_("it must name one record that the file belongs to, such as ticket=12."))
    current_actor().require(Action.read, ENTITIES[named[0]])
    found: Recorded = get_record(current_session(), ENTITIES[named[0]], request.form[named[0]])
    return found
