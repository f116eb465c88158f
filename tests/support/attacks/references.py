"""Files that name other files and servers. A decoder that follows one reads ours or calls theirs."""

import struct
import zlib

from support.attacks.canary import Canary
from support.attacks.parts import box, chunk, element, full_box, id3_frame, id3_tag

_HLS = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:9\n{extra}#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n"


def playlists(canary: Canary) -> dict[str, bytes]:
    """Texts that name the canary, by what they pretend to be."""
    path, url = canary.path, canary.url
    texts = {
        "m3u8-file-url": _hls(f"file://{path}"),
        "m3u8-path": _hls(str(path)),
        "m3u8-neighbour": _hls(path.name),
        "m3u8-http": _hls(url),
        "m3u8-key": _hls(path.name, f'#EXT-X-KEY:METHOD=AES-128,URI="file://{path}"\n'),
        "m3u8-map": _hls(url, f'#EXT-X-MAP:URI="file://{path}"\n'),
        "m3u8-variants": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{url}.m3u8\n",
        "m3u": f"{path}\n",
        "pls": f"[playlist]\nFile1={url}\nNumberOfEntries=1\n",
        "ffconcat": f"ffconcat version 1.0\nfile {path}\n",
        "ffconcat-neighbour": f"ffconcat version 1.0\nfile {path.name}\n",
        "ffconcat-http": f"ffconcat version 1.0\nfile '{url}'\n",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        f"m=audio {canary.port} RTP/AVP 14\n",
        "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT9S"><Period><AdaptationSet mimeType="audio/mp4">'
        '<Representation id="1" '
        f'bandwidth="1"><BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>',
        "xspf": '<?xml version="1.0"?><playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList><track>'
        f"<location>file://{path}</location></track></trackList></playlist>",
        "asx": f'<asx version="3.0"><entry><ref href="{url}"/></entry></asx>',
        "asf-reference": f"[Reference]\nRef1={url}\nRef2=file://{path}\n",
        "smil": f'<smil><body><audio src="{url}"/></body></smil>',
        "ram": f"{url}\n",
        "cue": f'FILE "{path}" MP3\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n',
        "svg": '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
        f'<image xlink:href="file://{path}"/></svg>',
        "vobsub": f"# VobSub index file, v7 (do not modify this line!)\nid: en, index: 0\n# {path}\n",
        "webm-dash-manifest": f'<?xml version="1.0"?><MPD><Period><BaseURL>{path}</BaseURL></Period></MPD>',
        "imf-cpl": '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016">'
        f"<Id>urn:uuid:0</Id><!-- {url} --></CompositionPlaylist>",
        "ffmetadata": f";FFMETADATA1\ntitle={path}\n",
        "lavfi": f"amovie={path}",
        "srt": f"1\n00:00:00,000 --> 00:00:09,000\n{path}\n",
        "ass": f"[Script Info]\nScriptType: v4.00+\nAudio File: {path}\n",
        "webvtt": f"WEBVTT\n\n00:00.000 --> 00:09.000\n{url}\n",
        "sami": f'<SAMI><BODY><SYNC Start=0><IMG SRC="{url}"></BODY></SAMI>',
        "lrc": f"[00:00.00]{path}\n",
    }
    return {name: text.encode() for name, text in texts.items()}


def spellings(canary: Canary) -> dict[str, bytes]:
    """HLS and ffconcat whose target is written in one of the many ways that FFmpeg's protocols allow."""
    path = canary.path
    targets = {
        "file": f"file:{path}",
        "upper": f"FILE://{path}",
        "concat": f"concat:{path}|{path}",
        "subfile": f"subfile,,start,0,end,0,,:{path}",
        "crypto": f"crypto:{path}",
        "cache": f"cache:{path}",
        "async": f"async:{path}",
        "data": f"data:audio/mpeg;base64,{path}",
        "concatf": f"concatf:{path}",
        "pipe": "pipe:0",
        "fd": "fd:0",
        "tcp": f"tcp://127.0.0.1:{canary.port}",
        "udp": f"udp://127.0.0.1:{canary.port}",
        "rtmp": f"rtmp://127.0.0.1:{canary.port}/x",
        "ftp": f"ftp://127.0.0.1:{canary.port}/x",
        "gopher": f"gopher://127.0.0.1:{canary.port}/x",
        "icecast": f"icecast://127.0.0.1:{canary.port}/x",
        "hls": f"hls+http://127.0.0.1:{canary.port}/x.m3u8",
        "unix": f"unix:{path}",
    }
    hls = {f"hls-{name}": _hls(target).encode() for name, target in targets.items()}
    concat = {
        f"ffconcat-{name}": f"ffconcat version 1.0\nfile '{target}'\n".encode()
        for name, target in targets.items()
    }
    return hls | concat


def disguises(canary: Canary) -> dict[str, bytes]:
    """A playlist behind something that looks like a song, or in it."""
    playlist = _hls(f"file://{canary.path}").encode()
    return {
        "behind-an-id3-tag": id3_tag(id3_frame(b"TIT2", b"\3x")) + playlist,
        "behind-a-byte-order-mark": b"\xef\xbb\xbf" + playlist,
        "behind-zeros": bytes(4_096) + playlist,
        "behind-ogg": b"OggS" + playlist,
        "behind-flac": b"fLaC" + playlist,
        "behind-ebml": b"\x1a\x45\xdf\xa3" + playlist,
        "behind-ftyp": box(b"ftyp", b"M4A \0\0\0\0") + playlist,
        "behind-a-frame-header": b"\xff\xfb\x90\x00" + playlist,
        "in-wav": b"RIFF" + struct.pack("<I", len(playlist) + 4) + b"WAVE" + playlist,
        "in-wav-as-data": chunk(b"RIFF", b"WAVE", chunk(b"data", playlist)),
        "in-aiff": chunk(b"FORM", b"AIFF", playlist, big_endian=True),
        "in-iff-8svx": chunk(b"FORM", b"8SVX", chunk(b"BODY", playlist, big_endian=True), big_endian=True),
        "in-iff-ilbm": chunk(b"FORM", b"ILBM", chunk(b"BODY", playlist, big_endian=True), big_endian=True),
        "in-a-list-of-forms": chunk(
            b"LIST", b"AIFF", chunk(b"FORM", b"AIFF", big_endian=True), playlist, big_endian=True
        ),
        "gzipped": zlib.compress(playlist, wbits=31),
        "png": b"\x89PNG\r\n\x1a\n" + playlist,
        "gif": b"GIF89a" + playlist,
        "jpeg": b"\xff\xd8\xff\xe0" + playlist,
        "bmp": b"BM" + playlist,
        "tiff": b"II*\0" + playlist,
        "webp": chunk(b"RIFF", b"WEBP", playlist),
        "avi": chunk(b"RIFF", b"AVI ", playlist),
    }


def with_external_media(canary: Canary, song: bytes) -> dict[str, bytes]:
    """Songs of MP4 and Matroska that say that their samples, or their sequel, are elsewhere.

    song: an MP4 whose `dref` has one self-contained entry of twelve bytes.
    """
    path = str(canary.path).encode()
    targets = {
        "mov-dref-url": full_box(b"url ", b"file://" + path + b"\0"),
        "mov-dref-http": full_box(b"url ", canary.url.encode() + b"\0"),
        "mov-dref-urn": full_box(b"urn ", b"x\0" + path + b"\0"),
        "mov-dref-alias": full_box(b"alis", _alias(canary, levels=-1)),
        "mov-dref-alias-neighbour": full_box(b"alis", _alias(canary, levels=1)),
        "mov-dref-rsrc": full_box(b"rsrc", _alias(canary, levels=-1)),
    }
    files = {name: _with_data_reference(song, entry) for name, entry in targets.items()}
    for name, target in (("file", b"file://" + path), ("http", canary.url.encode())):
        reference = full_box(b"rdrf", b"url ", struct.pack(">I", len(target) + 1), target, b"\0")
        files[f"mov-reference-movie-{name}"] = box(b"ftyp", b"qt  \0\0\0\0") + box(
            b"moov", box(b"rmra", box(b"rmda", reference))
        )
    return files | _linked_matroska(canary)


def _hls(target: str, extra: str = "") -> str:
    return _HLS.format(target=target, extra=extra)


def _with_data_reference(song: bytes, entry: bytes) -> bytes:
    """The song's samples now lie in what `entry` names. The boxes around grow; nothing behind them moves."""
    dref = song.index(b"dref") - 4
    old = struct.unpack_from(">I", song, dref)[0]
    new = full_box(b"dref", struct.pack(">I", 1), entry)
    data = bytearray(song)
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        place = song.rindex(kind, 0, dref) - 4
        struct.pack_into(">I", data, place, struct.unpack_from(">I", data, place)[0] + len(new) - old)
    data[dref : dref + old] = new
    return bytes(data)


def _alias(canary: Canary, *, levels: int) -> bytes:
    """A Macintosh alias record as FFmpeg reads it; levels: how far up both share a folder, -1 for nowhere."""
    name, path = canary.path.name.encode(), str(canary.path).encode()
    record = struct.pack(">4sHHH", b"\0\0\0\0", 150, 2, 0) + bytes([1]) + b"x".ljust(27, b"\0") + bytes(12)
    record += (
        bytes([len(name)])
        + name.ljust(63, b"\0")
        + bytes(16)
        + struct.pack(">hh", levels, levels)
        + bytes(16)
    )
    for kind, text in ((18, path), (2, path.replace(b"/", b":"))):
        record += struct.pack(">hH", kind, len(text)) + text + b"\0" * (len(text) % 2)
    return record + struct.pack(">hH", -1, 0)


def _linked_matroska(canary: Canary) -> dict[str, bytes]:
    path = str(canary.path).encode()
    head = element(0x1A45DFA3, element(0x4282, b"matroska"))
    uid = bytes(16)
    linked = element(0x1549A966, element(0x73A4, uid), element(0x3CB923, uid), element(0x3C83AB, path))
    linked += element(0x1549A966, element(0x3EB923, uid), element(0x3E83BB, path))
    attached = element(
        0x1941A469,
        element(
            0x61A7,
            element(0x466E, b"../../" + path),
            element(0x4660, b"application/vnd.apple.mpegurl"),
            element(0x465C, _hls(f"file://{canary.path}").encode()),
            element(0x46AE, b"\1"),
        ),
    )
    chapters = element(
        0x1043A770, element(0x45B9, element(0xB6, element(0x6E67, uid), element(0x73C4, b"\1")))
    )
    return {
        "matroska-linked-segments": head + element(0x18538067, linked),
        "matroska-attached-playlist": head + element(0x18538067, attached),
        "matroska-ordered-chapters": head + element(0x18538067, chapters),
    }


def pictures_by_link(canary: Canary, mp3: bytes) -> dict[str, bytes]:
    """A song whose cover is a link: the song itself is right."""
    link = b"\0-->\0\3\0file://" + str(canary.path).encode()
    remote = b"\0-->\0\3\0" + canary.url.encode()
    return {
        "cover-by-path": id3_tag(id3_frame(b"APIC", link)) + mp3,
        "cover-by-url": id3_tag(id3_frame(b"APIC", remote), id3_frame(b"WXXX", b"\0\0" + canary.url.encode()))
        + mp3,
        "linked-information": id3_tag(id3_frame(b"LINK", b"APIC" + canary.url.encode() + b"\0")) + mp3,
    }
