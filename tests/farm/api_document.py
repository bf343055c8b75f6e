# SPDX-License-Identifier: GPL-2.0-or-later
"""A daemon's OpenAPI document against what it answers: tests/farm/openapi, tests/farm/catalog."""
import copy
import json
import re
import warnings

import jsonschema

warnings.simplefilter("ignore", DeprecationWarning)  # of RefResolver, which Debian 12 has alone


def nodes(value):
    yield value
    for below in value.values() if isinstance(value, dict) else \
            value if isinstance(value, list) else ():
        yield from nodes(below)


class Document:
    def __init__(self, text):
        self.document = json.loads(text)
        self.closed = copy.deepcopy(self.document)
        for node in nodes(self.closed):
            if isinstance(node, dict) and isinstance(node.get("properties"), dict):
                node.setdefault("additionalProperties", False)
        self.seen = set()  # (method, path, status) of answers that it names
        self.faults = []

    def at(self, reference):
        node = self.closed
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
        return node

    def resolved(self, node):
        return self.at(node["$ref"]) if "$ref" in node else node

    def operations(self):
        for path, item in self.document["paths"].items():
            for method in item:
                yield method.upper(), path, self.closed["paths"][path][method]

    def find(self, method, target):
        path = target.split("?")[0]
        for name, pattern, operation in self.operations():
            shape = re.sub(r"\{\w+\}", "[^/]+", pattern)
            if name == method and re.fullmatch(shape, path):
                return pattern, operation
        return None, None

    def validate(self, value, schema, what):
        resolver = jsonschema.RefResolver("", self.closed)
        validator = jsonschema.Draft202012Validator(schema, resolver=resolver)
        for error in list(validator.iter_errors(value))[:3]:
            where = "/".join(map(str, error.absolute_path))
            self.faults.append(f"{what}: {where}: {error.message[:300]}")

    def validate_content(self, content, kind, text, what):
        """A body against the schema of its type, events of a stream one by one."""
        if kind not in content:
            self.faults.append(f"{what}: {kind} is not in the document")
        elif kind == "text/event-stream":
            for line in re.findall(r"^data: (.*)\n\n", text, re.M):
                self.validate(json.loads(line), self.at("#/components/schemas/Event"), what)
        else:
            value = json.loads(text) if kind.endswith("json") else text
            self.validate(value, content[kind]["schema"], what)

    def take(self, method, target, body, status, kind, text):
        """One exchange: is it as the document has it?"""
        pattern, operation = self.find(method, target)
        what = f"{method} {target} {status}"
        if operation is None:
            self.faults.append(f"{what}: not in the document")
            return
        answers = operation["responses"]
        if str(status) in answers:
            self.seen.add((method, pattern, str(status)))
        answer = self.resolved(answers.get(str(status), answers["default"]))
        if "content" in answer:
            self.validate_content(answer["content"], kind, text, what)
        elif text or kind:
            self.faults.append(f"{what}: has a body")
        if body is not None and status < 300:
            content = operation.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema", False)
            self.validate(body, schema, what + ", the request")


def sound(document):
    """What a reader of the document stumbles over."""
    tree, faults = document.document, []
    references = {node["$ref"] for node in nodes(tree)
                  if isinstance(node, dict) and isinstance(node.get("$ref"), str)}
    for reference in references:
        try:
            document.at(reference)
        except KeyError:
            faults.append(f"{reference} is not there")
    for kind in ("schemas", "responses", "parameters"):
        faults += [f"{kind}/{name} is used by nothing" for name in tree["components"][kind]
                   if f"#/components/{kind}/{name}" not in references]
    for name, schema in tree["components"]["schemas"].items():
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
        except jsonschema.SchemaError as error:
            faults.append(f"{name}: {error.message}")
    ids = [operation["operationId"] for _, _, operation in document.operations()]
    if len(ids) != len(set(ids)):
        faults.append("an operationId is there twice")
    for method, path, operation in document.operations():
        given = {p["name"] for p in map(document.resolved, operation.get("parameters", []))
                 if p["in"] == "path"}
        if given != set(re.findall(r"\{(\w+)\}", path)):
            faults.append(f"{method} {path}: its path's parameters are not {given}")
    if not tree["openapi"].startswith("3.1."):
        faults.append("it is not OpenAPI 3.1")
    return "\n".join(faults)


def unseen(document, but):
    named = {(method, path, status) for method, path, operation in document.operations()
             for status in operation["responses"] if status != "default"}
    return "\n".join(" ".join(row) for row in sorted(named - document.seen - but))
