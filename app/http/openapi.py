"""The OpenAPI 3.1 description, made from the same endpoints that are served."""

import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from app.http.auth import ANY_KEY
from app.http.endpoints import Endpoint, is_id
from app.http.openapi_parts import HEADERS, PARAMETERS, SECURITY_SCHEMES, problem_response
from app.http.preconditions import shown_by
from app.http.problems import STATUS, Problem, status_of
from app.http.schemas import Schema, Schemas

EVERY_SUCCESS = ("X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


def openapi(endpoints: Sequence[Endpoint], *, title: str, version: str, description: str) -> Schema:
    """The whole document."""
    schemas = Schemas(shape for each in endpoints for shape in (*_shapes(each), Problem))
    paths: dict[str, Schema] = {}
    for each in endpoints:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, endpoints, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": description},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(each.tag for each in endpoints)],
        "paths": paths,
        "components": {
            "schemas": schemas.used_in(paths, Problem),
            "securitySchemes": SECURITY_SCHEMES,
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "responses": {f"Problem{each}": problem_response(each) for each in (*STATUS.values(), 500)},
        },
    }


def _shapes(endpoint: Endpoint) -> list[Any]:
    form = endpoint.multipart.fields if endpoint.multipart else None
    asked = (endpoint.query, endpoint.body, form, endpoint.answer, *endpoint.also.values())
    return [each for each in asked if each is not None]


def _operation(endpoint: Endpoint, endpoints: Sequence[Endpoint], schemas: Schemas) -> Schema:
    operation: Schema = {
        "operationId": re.sub(r"\W+", "_", f"{endpoint.method.lower()}{endpoint.path}").rstrip("_"),
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "security": _security(endpoint),
        "parameters": list(_parameters(endpoint, endpoints, schemas)),
        "responses": {**_successes(endpoint, schemas), **_problems(endpoint, endpoints)},
    }
    description = [endpoint.description] if endpoint.description else []
    if endpoint.scope and endpoint.scope != ANY_KEY:
        description.append(f"Needs the scope `{endpoint.scope}`.")
    if description:
        operation["description"] = "\n\n".join(description)
    if body := _request_body(endpoint, schemas):
        operation["requestBody"] = body
    return operation


def _security(endpoint: Endpoint) -> list[dict[str, list[str]]]:
    if endpoint.scope is None:
        return []
    by_query: list[dict[str, list[str]]] = [{"accessToken": []}] if endpoint.live else []
    return [{"apiKey": []}, {"bearer": []}, *by_query]


def _parameters(endpoint: Endpoint, endpoints: Sequence[Endpoint], schemas: Schemas) -> Iterator[Schema]:
    for name in re.findall(r"{(\w+)", endpoint.path):
        schema = {"type": "string", "format": "uuid"} if is_id(name) else {"type": "string"}
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    if endpoint.query:
        struct = schemas.resolved(endpoint.query)
        for name, schema in struct["properties"].items():
            required = name in struct.get("required", ())
            plain = {key: value for key, value in schema.items() if key != "description"}
            described = {"description": schema["description"]} if "description" in schema else {}
            yield {"name": name, "in": "query", "required": required, "schema": plain, **described}
    if endpoint.method == "POST":
        yield {"$ref": "#/components/parameters/IdempotencyKey"}
    if shown_by(endpoint, endpoints):
        yield {"$ref": "#/components/parameters/IfMatch"}
    if endpoint.scope and endpoint.scope.endswith((":read", ANY_KEY)) and not endpoint.live:
        yield {"$ref": "#/components/parameters/HeadwaterAfter"}


def _request_body(endpoint: Endpoint, schemas: Schemas) -> Schema | None:
    if endpoint.body:
        content: Schema = {"schema": schemas[endpoint.body]}
        if endpoint.example is not None:
            content["example"] = schemas.plain(endpoint.example)
        return {"required": True, "content": {"application/json": content}}
    if form := endpoint.multipart:
        struct = schemas.resolved(form.fields)
        file = {
            "type": "string",
            "contentMediaType": "application/octet-stream",
            "description": form.description,
        }
        schema = {
            "type": "object",
            "properties": {form.file: file, **struct["properties"]},
            "required": [form.file, *struct.get("required", ())],
        }
        return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    return None


def _successes(endpoint: Endpoint, schemas: Schemas) -> Schema:
    answers = {endpoint.status: endpoint.answer, **endpoint.also}
    found = {str(status): _answer(endpoint, schemas, status, answer) for status, answer in answers.items()}
    if endpoint.method == "GET" and endpoint.scope and endpoint.answer is not None:
        found["304"] = {"description": "If-None-Match names the ETag of what there is"}
    return found


def _answer(endpoint: Endpoint, schemas: Schemas, status: int, answer: Any) -> Schema:
    if answer is Problem:
        return problem_response(status)
    names = EVERY_SUCCESS if endpoint.metered else EVERY_SUCCESS[:1]
    if endpoint.method != "GET":
        names = ("Headwater-Position", *names)
    response: Schema = {
        "description": HTTPStatus(status).phrase,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
    }
    if answer is not None:
        response["content"] = {endpoint.media_type: {"schema": schemas[answer]}}
    elif endpoint.media_type != "application/json" and status != HTTPStatus.NOT_MODIFIED:
        response["content"] = {endpoint.media_type: {}}
    return response


def _problems(endpoint: Endpoint, endpoints: Sequence[Endpoint]) -> Schema:
    found = {status_of(each) for each in endpoint.refusals} | {400, 500}
    found |= {401, 403, 503} if endpoint.scope else set()
    found |= {408, 413, 415, 422} if endpoint.body or endpoint.multipart else set()
    found |= {412} if shown_by(endpoint, endpoints) else set()
    found |= {429} if endpoint.metered else set()
    return {str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in sorted(found)}
