"""A small S3 server: as much of the protocol as storing, reading and removing objects needs, one bucket in memory.

https://docs.aws.amazon.com/AmazonS3/latest/API/
"""

import contextlib
import hashlib
import hmac
import http.server
import re
import threading
import uuid
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

BUCKET = "files"
KEY_ID = "AKIDEXAMPLE"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """`objects` by their key; `uploads` are those of several parts that did not end yet."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.largest_request = 0
        self.full = False
        # Where it is set, requests have to be signed with it.
        self.secret = ""

    @property
    def url(self) -> str:
        """What CONSULT_FILES_URL says for the folder `kept` of the bucket."""
        return f"s3://{BUCKET}/kept?endpoint=http://127.0.0.1:{self.server_address[1]}&region=eu-test-1"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, content: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _asked(self) -> tuple[str, dict[str, list[str]], bytes] | None:
        """(key, query, content), or None when it was refused already."""
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.largest_request = max(self.server.largest_request, len(content))
        parts = urlsplit(self.path)
        _, bucket, key = (*unquote(parts.path).split("/", 2), "")[:3]
        signed = re.match(r"AWS4-HMAC-SHA256 Credential=(\w+)/", self.headers.get("authorization") or "")
        if signed is None or signed[1] != KEY_ID or bucket != BUCKET:
            self._refuse(403, "AccessDenied")
            return None
        if self.server.secret and not self._well_signed(self.server.secret):
            self._refuse(403, "SignatureDoesNotMatch")
            return None
        if self.server.full and self.command != "DELETE":
            self._refuse(507, "InsufficientCapacity")
            return None
        return key, parse_qs(parts.query, keep_blank_values=True), content

    def _well_signed(self, secret: str) -> bool:
        """Whether the signature is this secret's: Signature Version 4, of the headers and the hash of the content."""
        said = dict(re.findall(r"(Credential|SignedHeaders|Signature)=([^,\s]+)", self.headers["authorization"]))
        _id, *scope = said["Credential"].split("/")
        path, _question, query = self.path.partition("?")
        headers = "".join(f"{name}:{(self.headers[name] or '').strip()}\n" for name in said["SignedHeaders"].split(";"))
        wanted = (self.command, path, "&".join(sorted(query.split("&"))), headers, said["SignedHeaders"])
        canonical = "\n".join((*wanted, self.headers["x-amz-content-sha256"]))
        text = ("AWS4-HMAC-SHA256", self.headers["x-amz-date"], "/".join(scope), _hash(canonical))
        key = f"AWS4{secret}".encode()
        for part in (*scope, "\n".join(text)):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.compare_digest(key.hex(), said["Signature"])

    def _refuse(self, status: int, code: str) -> None:
        self._answer(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

    def do_PUT(self) -> None:
        if asked := self._asked():
            key, query, content = asked
            if "uploadId" in query:
                self.server.uploads[query["uploadId"][0]][int(query["partNumber"][0])] = content
            else:
                self.server.objects[key] = content
            self._answer(200, etag=f'"{hashlib.md5(content).hexdigest()}"')  # noqa: S324  as S3 names them

    def do_POST(self) -> None:
        if asked := self._asked():
            key, query, content = asked
            if "uploads" in query:
                id = uuid.uuid4().hex
                self.server.uploads[id] = {}
                told = f"<Bucket>{BUCKET}</Bucket><Key>{key}</Key><UploadId>{id}</UploadId>"
                self._answer(200, f"<InitiateMultipartUploadResult>{told}</InitiateMultipartUploadResult>".encode())
            elif "uploadId" in query:
                parts = self.server.uploads.pop(query["uploadId"][0])
                self.server.objects[key] = b"".join(parts[number] for number in sorted(parts))
                told = f'<Bucket>{BUCKET}</Bucket><Key>{key}</Key><ETag>"x"</ETag>'
                self._answer(200, f"<CompleteMultipartUploadResult>{told}</CompleteMultipartUploadResult>".encode())
            else:
                gone = [found.decode() for found in re.findall(rb"<Key>([^<]+)</Key>", content)]
                for key in gone:
                    self.server.objects.pop(key, None)
                told = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in gone)
                self._answer(200, f"<DeleteResult>{told}</DeleteResult>".encode())

    def do_DELETE(self) -> None:
        if asked := self._asked():
            key, query, _content = asked
            if "uploadId" in query:
                self.server.uploads.pop(query["uploadId"][0], None)
            else:
                self.server.objects.pop(key, None)
            self._answer(204)

    def _list(self, prefix: str) -> None:
        """All at once: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html"""
        about = '<LastModified>2026-11-21T12:00:00.000Z</LastModified><ETag>"x"</ETag>'
        told = "".join(
            f"<Contents><Key>{key}</Key><Size>{len(content)}</Size>{about}</Contents>"
            for key, content in sorted(self.server.objects.items())
            if key.startswith(prefix)
        )
        head = f"<Name>{BUCKET}</Name><Prefix>{prefix}</Prefix><IsTruncated>false</IsTruncated>"
        self._answer(200, f"<ListBucketResult>{head}{told}</ListBucketResult>".encode())

    def do_GET(self) -> None:
        if asked := self._asked():
            if "list-type" in asked[1]:
                self._list(asked[1].get("prefix", [""])[0])
                return
            content = self.server.objects.get(asked[0])
            if content is None:
                self._refuse(404, "NoSuchKey")
                return
            about = {"etag": '"x"', "last-modified": "Sat, 21 Nov 2026 12:00:00 GMT", "accept-ranges": "bytes"}
            wanted = re.match(r"bytes=(\d+)-(\d*)$", self.headers.get("range") or "")
            if wanted:
                start, last = int(wanted[1]), int(wanted[2] or len(content) - 1)
                about["content-range"] = f"bytes {start}-{min(last, len(content) - 1)}/{len(content)}"
                self._answer(206, content[start : last + 1], **about)
            else:
                self._answer(200, content, **about)

    do_HEAD = do_GET


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
