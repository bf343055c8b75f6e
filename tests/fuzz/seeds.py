# SPDX-License-Identifier: GPL-2.0-or-later
"""Cuts the seeds of fuzz targets out of what is there: the ladders, a title as `encode` made
it, the records in tests/test_codec_record.c, and what fuzz-seeds wrote to OUT before.
usage: seeds.py ROOT TITLE OUT"""
import json
import pathlib
import re
import struct
import sys

root, title, out = map(pathlib.Path, sys.argv[1:])
counts = {}


def seed(target, data):
    counts[target] = counts.get(target, 0) + 1
    (out / target / f"seed-{counts[target]}").write_bytes(data)


def boxes(data, at=0, end=None):
    """Type, start and end of the payload of each box."""
    end = len(data) if end is None else end
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8 or at + size > end:
            return
        yield kind.decode("latin-1"), at + 8, at + size
        at += size


def payload(data, kind):
    """Of the first box of that type, wherever it stands."""
    at = data.find(kind.encode())
    return data[at + 4:at - 4 + struct.unpack_from(">I", data, at - 4)[0]] if at >= 4 else b""


def samples(segment):
    """The bytes of each sample, by the sizes in its truns."""
    found, sizes = [], []
    for kind, start, end in boxes(segment):
        if kind == "moof":
            trun = payload(segment[start - 8:end], "trun")
            flags, count = struct.unpack_from(">II", trun)
            width = 4 * bin(flags & 0xf00).count("1")
            first = 8 + 4 * bin(flags & 5).count("1") + (4 if flags & 0x100 else 0)
            sizes = [struct.unpack_from(">I", trun, first + i * width)[0] for i in range(count)]
        elif kind == "mdat":
            for size in sizes:
                found.append(segment[start:start + size])
                start += size
    return found


def indexed(segment):
    """With an index and an event behind its styp, as others write them."""
    head = struct.unpack_from(">I", segment)[0]
    index = struct.pack(">I4s9I", 44, b"sidx", 0, 1, 24, 0, 0, 1, len(segment) - head, 48,
                        0x90000000)
    event = struct.pack(">I4sI", 52, b"emsg", 1 << 24) + bytes(40)
    return segment[:head] + index + event + segment[head:]


def media(folder):
    init = (folder / "init.mp4").read_bytes()
    seed("init", init)
    coded = []
    for segment in sorted(folder.glob("*.m4s")):
        data = segment.read_bytes()
        seed("segment", struct.pack(">H", len(init)) + init + data)
        seed("segment", struct.pack(">H", len(init)) + init + indexed(data))
        coded += samples(data)
    record = payload(init, "avcC")
    if record:
        seed("avc", record)
        for sample in coded[:8]:
            seed("avc", sample)
            seed("bitstream", bytes([0, 1, len(record)]) + record + sample[:2000])
            seed("bitstream", bytes([0, 0, 0]) + b"\0\0\0\1" + sample[4:2000])
    record = payload(init, "av1C")
    if record:
        seed("av1", record)
        seed("av1", record[6:])  # the payload of its sequence header
        for sample in coded[:8]:
            seed("av1", sample)
            seed("config", sample)
            seed("bitstream", bytes([2, 1, len(record)]) + record + sample[:2000])
    if payload(init, "esds"):
        seed("aac", bytes([0x11, 0x90]))
        seed("aac", bytes([0x11, 0x90, 0x56, 0xe5, 0]))
        for sample in coded[:4]:
            seed("aac", sample)


def edited(movie):
    """The header of a title's track with an edit list of two parts, as ordinary files have it."""
    rows = struct.pack(">III", 0, 2, 500) + struct.pack(">iI", -1, 1 << 16)
    rows += struct.pack(">IiI", 1000, 2002, 1 << 16)
    list_ = struct.pack(">I4s", 8 + len(rows), b"elst") + rows
    edits = struct.pack(">I4s", 8 + len(list_), b"edts") + list_
    out = b""
    for kind, start, end in boxes(movie):
        body = movie[start:end]
        if kind in ("moov", "trak"):
            body = (edits if kind == "trak" else b"") + edited(body)
        elif kind == "edts":
            continue
        elif kind == "mvex":
            kind = "free"  # a file with fragments is libavformat's
        out += struct.pack(">I4s", 8 + len(body), kind.encode()) + body
    return out


def outlines(folder):
    init = (folder / "init.mp4").read_bytes()
    seed("bitstream", b"\x08\x07" + edited(init))
    seed("bitstream", b"\x08\xff" + init + b"".join(
        segment.read_bytes()[:8000] for segment in sorted(folder.glob("*.m4s"))))


def x264_records():
    text = (root / "tests/test_codec_record.c").read_text()
    for literal in re.findall(r'(?:"[0-9a-f]{20,}"\s*)+(?:"[0-9a-f]+"\s*)*', text):
        record = bytes.fromhex("".join(re.findall(r'"([0-9a-f]+)"', literal)))
        if record[0] != 1:
            continue
        size = struct.unpack_from(">H", record, 6)[0]
        sps = record[8:8 + size]
        pps_size = struct.unpack_from(">H", record, 9 + size)[0]
        seed("avc", record)
        seed("avc", sps)
        seed("config", bytes([size]) + sps + record[11 + size:11 + size + pps_size])


def text_of_others():
    """What manifests of others hold and ours do not."""
    seed("webvtt", b"WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:01.000,MPEGTS:900000\n\nNOTE a\n\n"
         b"1\n00:01.000 --> 00:00:02.500 line:0\nOne.\n\n00:00:02.000 --> 01:00:03.000\nTwo.\n")
    seed("m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-PART-INF:PART-TARGET=1\n"
         b"#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=3\n#EXT-X-MAP:URI=\"a\",BYTERANGE=\"800@0\"\n"
         b"#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"2026-01-01T00:00:00Z\",SCTE35-OUT=0xFC\n"
         b"#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.5+01:00\n#EXTINF:2,\n"
         b"#EXT-X-PART:DURATION=1,URI=\"p\"\n#EXT-X-BYTERANGE:5@800\na\n#EXT-X-ENDLIST\n")
    seed("mpd", b"""<MPD type="static"><Period duration="PT6S"><AdaptationSet contentType="text"
        mimeType="text/vtt" lang="en"><Role schemeIdUri="urn:mpeg:dash:role:2011" value="caption"/>
        <Representation id="t"><BaseURL>t.vtt</BaseURL></Representation></AdaptationSet>
        <AdaptationSet><ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011"
        cenc:default_KID="1"/><Representation id="a"><BaseURL>a.mp4</BaseURL><SegmentBase
        timescale="24" indexRange="800-999"><Initialization range="0-799"/></SegmentBase>
        </Representation><Representation id="b"><SegmentTemplate timescale="24" duration="48"
        media="$Number$.m4s" initialization="i"/></Representation></AdaptationSet></Period></MPD>""")
    seed("mpd", b"""<MPD type="static"><UTCTiming/><Period start="PT0S"><EventStream/><AdaptationSet>
        <AudioChannelConfiguration value="F801"
        schemeIdUri="tag:dolby.com,2014:dash:audio_channel_configuration:2011"/>
        <Representation id="a"><SegmentList timescale="24" duration="48"><Initialization
        sourceURL="i.mp4" range="0-9"/><SegmentURL media="1.m4s"/><SegmentURL mediaRange="9-20"/>
        </SegmentList></Representation><Representation id="b"><SegmentList><SegmentTimeline><S t="0"
        d="2" r="1"/></SegmentTimeline><SegmentURL media="1"/><SegmentURL media="2"/></SegmentList>
        </Representation></AdaptationSet></Period><Period start="PT4S"/></MPD>""")
    seed("mpd", b"""<MPD mediaPresentationDuration="PT9S"><BaseURL>a/</BaseURL><Period id="1">
        <BaseURL>b/</BaseURL><SegmentTemplate timescale="24" media="$Time$" initialization="i"/>
        <AdaptationSet id="1"><SegmentTemplate><SegmentTimeline><S t="0" d="48" r="1"/>
        </SegmentTimeline></SegmentTemplate><Representation id="a"/></AdaptationSet></Period>
        <Period xlink:href="p" start="PT4S" duration="PT1S"/><Period id="2" duration="PT2S">
        <AdaptationSet id="1"><SegmentTemplate timescale="24" presentationTimeOffset="96"
        startNumber="3" media="$Number$" duration="48"/><Representation id="a"/></AdaptationSet>
        </Period><Period id="3"><AdaptationSet contentType="image"><SegmentTemplate duration="2"
        media="$Number$"/><Representation id="s"/></AdaptationSet></Period></MPD>""")
    seed("m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-DEFINE:NAME=\"a\"\n#EXT-X-BITRATE:1\n"
         b"#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://1\",IV=0x1f,KEYFORMAT=\"a\"\n"
         b"#EXT-X-MAP:URI=\"a\"\n#EXTINF:2,\na\n#EXT-X-DISCONTINUITY\n"
         b"#EXT-X-MAP:URI=\"b\",BYTERANGE=\"9\"\n#EXTINF:2,\nb\n#EXT-X-MAP:BYTERANGE=\"9@1\"\n"
         b"#EXT-X-ENDLIST\n")


def box(kind, body):
    return struct.pack(">I4s", 8 + len(body), kind.encode()) + body


def swapped(data, old, new):
    """With another box in the place of each of that type, wherever it stands."""
    fields = {"moov": 0, "trak": 0, "mdia": 0, "minf": 0, "stbl": 0, "stsd": 8, "avc1": 78,
              "mp4a": 28}
    out = b""
    for kind, start, end in boxes(data):
        body = data[start:end]
        if kind == old:
            out += new(body)
            continue
        if kind in fields:
            own = fields[kind]
            body = body[:own] + swapped(body[own:], old, new)
        out += box(kind, body)
    return out


def sealed(entry, original, before):
    """A sample entry as common encryption has it."""
    schi = box("schi", box("tenc", bytes([1, 0, 0, 0, 0, 0x19, 1, 0]) + bytes(16) + b"\x10" +
                           bytes(16)))
    return entry[:before] + box("sinf", box("frma", original) +
                                box("schm", bytes(4) + b"cbcs" + bytes(4)) + schi) + entry[before:]


def codecs_of_others(folder):
    """HEVC in the place of H.264, other sounds in that of AAC, and each of these encrypted."""
    text = (root / "tests/foreign_fixture.c").read_text()
    init = (folder / "init.mp4").read_bytes()
    moof = box("moof", box("traf", box("senc", bytes([0, 0, 0, 2, 0, 0, 0, 1]) + bytes(8) +
                                       struct.pack(">HHI", 1, 2, 3))))
    seed("protection", b"\1" + moof)
    seed("protection", b"\1" + sealed(b"", b"avc1", 0))
    if b"avcC" in init:
        for literal in re.findall(r'"(01[0-9a-f]{40,}(?:"\s*"[0-9a-f]+)*)"', text):
            record = bytes.fromhex(re.sub(r'["\s]', "", literal))
            other = swapped(init, "avcC", lambda _, record=record: box("hvcC", record))
            seed("hevc", record)
            seed("hevc", record[record.index(b"\x42\x01"):])
            seed("init", other.replace(b"avc1", b"hvc1"))
        seed("hevc", struct.pack(">I", 4) + b"\x26\x01\xaf\x80")
        seed("init", swapped(init, "avc1", lambda body: box("encv", sealed(body, b"avc1", 78))))
    if b"esds" in init:
        row = (r'"(\S{4})",\s*"(\S{4})",\s*"\S{4}",\s*\d+,\s*\d+,'
               r'((?:\s*"[0-9a-f]+")+),\s*"([0-9a-f]+)"')
        for entry, kind, *words in re.findall(row, text):
            record, packet = (bytes.fromhex(re.sub(r'["\s]', "", word)) for word in words)
            seed("sounds", bytes([len(record)]) + record + packet.ljust(256, b"\0"))
            own = box(kind, record)
            seed("init", swapped(init, "mp4a", lambda body, entry=entry, own=own:
                                 box(entry, body[:28] + own)))
        seed("init", swapped(init, "mp4a", lambda body: box("enca", sealed(body, b"mp4a", 28))))


def frame(kind, data):
    """Of the pipe between worker and child."""
    return struct.pack("<IB", len(data), kind) + data


def frames_of_the_pipe():
    """Some of each type."""
    child = [(3, struct.pack("<QI", 4096, 65536)), (4, struct.pack("<QQ", 5, 100)), (5, b"{}"),
             (6, struct.pack("<IIII", 0, 2, 0, 1) + b"r" + b"init"),
             (7, struct.pack("<II", 0, 2) + b"{}" + b"segment"), (8, b"{}")]
    failure = b'{"code":"corrupt","message":"it is torn"}'
    seed("pipe", b"\1" + b"".join(frame(*each) for each in child))
    seed("pipe", b"\1" + frame(9, failure))
    seed("pipe", b"\0" + frame(1, b'{"kind":"probe"}') + frame(2, struct.pack("<I", 65536)))
    seed("stats", failure)
    seed("broker", b"\0" + frame(3, struct.pack("<QI", 4096, 65536)) + frame(9, failure))
    for document in sorted((out / "source").glob("wire-*"))[:8]:
        seed("broker", b"\0" + frame(5, document.read_bytes()))


def honest_child(folder):
    """All that the child of a sound track says."""
    init = (folder / "init.mp4").read_bytes()
    config = init[init.index(b"\x05\x05\x11\x90") + 2:][:5]  # DecoderSpecificInfo
    said = frame(3, struct.pack("<QI", 0, 65536))
    said += frame(6, struct.pack("<IIII", 0, 0, 1024, len(config)) + config + init)
    first = 0
    for number, segment in enumerate(sorted(folder.glob("*.m4s")), 1):
        data = segment.read_bytes()
        count = len(samples(data))
        report = json.dumps({"number": number, "bytes": len(data), "samples": count,
                             "decode_time": first * 1024, "duration": count * 1024, "sha256": "",
                             "gops": []}, separators=(",", ":")).encode()
        said += frame(7, struct.pack("<II", 0, len(report)) + report + data)
        first += count
    stats = (out / "stats" / "wire-1").read_bytes()
    seed("broker", b"\1" + said + frame(4, struct.pack("<QQ", 48, 48)) + frame(8, stats))


def damages():
    """For verify: object, kind, place, count, bytes."""
    mpd = (title / "manifest.mpd").read_bytes()
    place = mpd.index(b"<AdaptationSet", mpd.index(b"</AdaptationSet>"))
    cut = b'</Period><Period id="2" start="PT1S" duration="PT1S">'  # one of two for the second set
    for thing in range(48):
        seed("verify", struct.pack(">BBBHB", thing, 0, 0, 40 + 9 * thing, 1) + b"9")
        seed("verify", struct.pack(">BBBHB", thing, 2, 0, 200, 8))
        seed("verify", struct.pack(">BBBHB", thing, 1, place >> 16, place & 0xffff, len(cut)) + cut)
    seed("verify", struct.pack(">BBBHB", 3, 4, 0, 0, 0))
    seed("verify", struct.pack(">BBBHB", 3, 3, 0, 300, 0))


def requests():
    """Bodies of the API's calls: byte, then JSON; and whole requests."""
    for number, target in ((3, "report"), (4, "report")):
        for document in sorted((out / target).glob("wire-*"))[:12]:
            seed("request", bytes([number]) + document.read_bytes())
    encoder = {"name": "x264", "codec": "h264", "build_line": "x264 1", "tail_frames": 0}
    ladder = {
        "name": "small", "description": "", "gop_ms": 2000, "segment_gops": 2, "chunk_ms": 16000,
        "max_rate": "60/1", "deinterlace": "frame", "waive": [],
        "video": [{"height": 360, "codec": "h264", "encoder": "x264", "preset": "veryfast",
                   "tune": "", "profile": "high", "crf_hundredths": 2500, "maxrate_bps": 1200000,
                   "bufsize_bits": 2400000, "vbv_init_percent": 50, "bit_depth": 8, "threads": 1,
                   "lossless": False}],
        "audio": [{"codec": "aac", "encoder": "aac", "channels": 2, "bitrate_bps": 96000}]}
    bodies = [
        (0, {"worker": "w1", "host": "h", "pid": 7, "slots": 4, "memory_bytes": 1 << 33,
             "sandbox": "full", "encoders": [encoder]}),
        (1, {"tasks": [{"fence": 1, "done": 4, "total": 9}]}),
        (2, {"session": "s", "slots": 3, "memory_bytes": 1 << 30, "wait_ms": 100,
             "kinds": ["probe", "video", "package"]}),
        (5, {"class": "io", "message": "it did not work", "units": [1]}),
        (5, {"class": "crash", "message": "it fell"}),
        (6, {"title": "a", "source": "s3://b/s", "output": "s3://b/o", "force": True,
             "priority": 7, "tenant": "news", "deadline": 5000, "labels": ["show=x"],
             "ladder": ladder}),
        (7, {"role": "submitter", "tenant": "news", "name": "n", "expires_in_ms": 900000}),
        (10, {"listing": 1, "groups": [{"title": "t", "version": "0123456789abcdef", "objects": 3,
                                        "bytes": 900}], "ended": True}),
        (11, {"source": "s3://b/s", "ladder": ladder}),
        (12, {"endpoint": "edge"}), (12, {}),
        (13, {"endpoint": "edge", "version": "0123456789abcdef"}), (14, {"version": "a"}),
        (15, {"scores": {"t": 0.5, "nobody": 1e9}}), (16, {"remove": True, "listing": 1}),
        (16, {"unknown": True}), (17, {"dead": True}), (17, {"since": 5}), (17, {"event": 7}),
        (18, {"name": "a.db"}),
    ]
    for number, body in bodies:
        text = json.dumps(body).encode()
        seed("request", bytes([number]) + text)
        seed("http", b"POST /v1/titles?wait_ms=3 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
             b"\xff\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
    seed("http", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /%2e HTTP/1.0\r\n\r\n")
    seed("http", b"POST /x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\r\n"
         b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    seed("http", b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}")


def addresses():
    for url in ("s3://b/key", "s3://b", "https://user:pass@h.example:8/p?q=1#x",
                "http://[::ffff:10.0.0.1]/a", "http://0x7f.1/", "s3://b/%2e%2e/x", "/srv/x"):
        seed("sigv4", b"\0".join(part.encode() for part in (
            "examplebucket.s3.amazonaws.com", "/photos/jan & feb/é.jpg", "us-east-1", url,
            "prefix", "some Prefix+", "list-type", "2", "")))
    for token in (b"\xff", b"the operator's own token", b"reelfarm_", b"Bearer \xff", b"\xff ",
                  b"reelfarm_" + b"0" * 26 + b"_" + b"0" * 64):
        seed("token", token)


def stores():
    """Answers of stores that speak S3: what was asked, status, body."""
    entry = "<Contents><Key>out%2Ft%2F{0}</Key><Size>7</Size></Contents>"
    listing = ("<?xml version='1.0'?><ListBucketResult><EncodingType>url</EncodingType>"
               "<IsTruncated>{0}</IsTruncated>{1}<NextContinuationToken>{2}</NextContinuationToken>"
               "</ListBucketResult>")
    uploads = ("<ListMultipartUploadsResult><IsTruncated>{0}</IsTruncated><Upload>"
               "<Key>out/t/a</Key><UploadId>one</UploadId></Upload><Upload><Key>else</Key>"
               "<UploadId>2</UploadId>"
               "</Upload></ListMultipartUploadsResult>")
    error = ("<Error><Code>{0}</Code><Message>It says\n so</Message><Region>eu-west-1</Region>"
             "<RequestId>r-1</RequestId></Error>")
    codes = ("NoSuchKey", "SlowDown", "ExpiredToken", "RequestTimeTooSkewed", "PreconditionFailed")
    for which, status, body in (
            (0, 0, listing.format("false", entry.format("a") + entry.format("b%2F"), "")),
            (0, 0, listing.format("true", entry.format(".a"), "more")),
            (0, 0, "<ListBucketResult><Contents><Key>out/t/x</Key></Contents></ListBucketResult>"),
            (1, 0, uploads.format("false")), (1, 0, uploads.format("true")),
            (2, 0, "<CopyObjectResult><ETag>&quot;0&quot;</ETag></CopyObjectResult>"),
            (3, 7, error.format("PreconditionFailed")), (3, 9, error.format("NotImplemented")),
            (4, 0, "<InitiateMultipartUploadResult><UploadId>up</UploadId>"
                   "</InitiateMultipartUploadResult>"),
            (4, 0, " \n<CompleteMultipartUploadResult><UploadId>u</UploadId>"
                   "</CompleteMultipartUploadResult>"),
            *((which, status, error.format(code)) for code in codes
              for which, status in ((0, 2), (1, 3), (2, 4), (2, 0), (3, 10), (4, 5)))):
        seed("s3", bytes([which, status]) + body.encode())


def pictures():
    """Headers of a JPEG of 320 x 180 and of an AVIF of the same size, and no picture in them."""
    frame_header = struct.pack(">BHHB", 8, 180, 320, 1) + bytes([1, 0x11, 0])
    seed("image", b"\xff\xd8\xff\xe0\0\4ab\xff\xc0"
         + struct.pack(">H", 2 + len(frame_header)) + frame_header
         + b"\xff\xda\0\x08\1\1\0\0\x3f\0\x12\x34\xff\xd9")

    def box(kind, *parts):
        body = b"".join(parts)
        return struct.pack(">I4s", 8 + len(body), kind) + body

    size = box(b"ispe", struct.pack(">III", 0, 320, 180))
    colour = box(b"colr", b"nclx", struct.pack(">HHHB", 1, 1, 1, 0))
    seed("image", box(b"ftyp", b"avif", bytes(4), b"mif1avif")
         + box(b"meta", bytes(4), box(b"iprp", box(b"ipco", size, colour)))
         + box(b"mdat", bytes(16)))
    for picture in sorted(title.glob("**/*.jpg"))[:2] + sorted(title.glob("**/*.avif"))[:2]:
        seed("image", picture.read_bytes())


def headers():
    for text in ("bytes=0-9", "bytes=5-", "bytes=-7", "bytes=0-1,3-4", "items=1-2",
                 "00-" + "5257a869" * 4 + "-" + "12" * 8 + "-01"):
        seed("header", b"\x10" + text.encode())


def published():
    """The title document, of the version that fuzz_version asks for."""
    text = (title / "title.json").read_text()
    version = json.loads(text)["version"]
    seed("version", text.replace(version, "0123456789abcdef").encode())


def accounts():
    seed("account", b"[default]\naws_access_key_id = A\naws_secret_access_key=b c\n# a note\n"
         b"[other]\nrole_arn = x\n\0[default]\nregion = eu-west-1\ns3 =\n"
         b"  addressing_style = path\n  endpoint_url = http://h.example:80\n"
         b"[profile other]\nregion=x\n")


def catalog():
    """What a publisher tells, and what readers ask: byte, then texts that end with 0."""
    document = json.loads((root / "tests/golden/title.json").read_text())
    body = {"title": "a-title", "revision": 7, "version": document["version"], "tenant": "acme",
            "published_at": "2026-01-01T00:00:00Z", "labels": ["show=film", "year=2008"],
            "manifests": {"hls": "https://e.example/m.m3u8", "dash": "http://e.example/m.mpd"}}
    for languages in ([], ["und"], ["en", "pt-BR"]):
        text = json.dumps({**body, "document": {**document, "languages": languages}})
        seed("entry", text.encode())
    for which, *texts in (
            (0, "a title", ""), (0, "show=film 720p ti", "7-30-12"), (0, 'te"xt* NEAR(a b) ^é', ""),
            (0, "title", "", "show=film,year", "en", "", "", "720", "2026-12-01T18:00:00Z"),
            (1, "a-title-1", "show=film", "en"), (1, "", "", "", "acme"), (1, "", "", "de", "", "h264"),
            (4, "", "show", "pt-BR", "", "", "1"),
            (4, "1-30-20", "", "", "", "", "", "2026-01-01T00:00:01+01:00"),
            (2, "50-1200-37-1"), (3, "t=1700000000,v1=" + "5257a869" * 8)):
        for first in (which, 130 + which):  # the same, as if few titles were many
            seed("search", bytes([first]) + b"\0".join(text.encode() for text in texts) + b"\0")


for ladder in [*root.glob("ladders/*.yaml"), *root.glob("tests/**/*.yaml")]:
    seed("ladder", ladder.read_bytes())
for init_file in title.glob("*/*/init.mp4"):
    media(init_file.parent)
    outlines(init_file.parent)
    codecs_of_others(init_file.parent)
for playlist in title.glob("**/*.m3u8"):
    seed("m3u8", playlist.read_bytes())
for target_name in ("mpd", "xml"):
    seed(target_name, (title / "manifest.mpd").read_bytes())
seed("json", (title / "title.json").read_bytes())
seed("csv", b'\xef\xbb\xbfsource,title\r\n"/a, ""b"".mov",\xc3\xa9\r\n"x\ny",\n')
x264_records()
requests()
addresses()
stores()
catalog()
pictures()
headers()
published()
accounts()
text_of_others()
frames_of_the_pipe()
for sound in title.glob("audio/*"):
    honest_child(sound)
damages()
