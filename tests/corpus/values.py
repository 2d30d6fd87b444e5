"""What is expected of values that people write, place by place in the files of plant/: (place, good, bad, loader).
good: both judges accept; bad: both refuse; loader: the schema accepts, and the loader refuses with an error that
loader_only.json lists. The place "" is the whole file; one may be a key that plant/ does not have."""

ROLE = (["a", "_", "Z9_.-", "a" * 64], ["", "9a", "-a", "a b", "ñ", "a" * 65])
ROLE_USED = (["lector", "turno"], ["9a", "", "a" * 65, 1], ["nadie", "Lector"])
TOPIC = (
    ["a", "/", "//", "a//b", "/a", "a/", "+", "#", "+/#", "+/+", "a/#", "$SYS/#", "$CONTROL/#", "${linea}", "a/${linea}/#", "{a}", "$", "$a",
     "a$/b", "a}/b", "ñ/🏭", " ", "a b", "\u2028", "a\nb", "\u0085", "a" * 65535, "$shared/a", "a/$share/b"],
    ["", "a+", "+a", "a/+b", "#a", "a#", "#/", "#/a", "a/#/b", "++", "##", "$share/g/a", "$share/", "$share", "a" * 65536, "\0", "a/\0",
     "${linea}a", "a${linea}", "${linea", "${}", "${", "a/${", "${linea}}", "$${linea}", "${linea/a}", "${linea}${linea}", "\u2028${linea}", "\na${"],
    ["${lina}", "${role}", "${a b}", "ñ" * 40000])
TRIE = (["/" * 200, "+/" * 200 + "#"], ["/" * 201, "a/" * 201])
MATCH = (
    ["a", "ñ", " ", ["a"], ["a", "a"], {"pattern": "a"}, {"pattern": "(a|b)+"}, {"pattern": "a" * 1024}],
    ["", "\n", "\x7f", [], [""], [["a"]], {}, {"pattern": ""}, {"pattern": ["a"]}, {"patern": "a"}, {"pattern": "a", "x": 1}, {"pattern": "a" * 1025}, 1, None],
    [{"pattern": "("}, {"pattern": "a{2,1}"}, {"pattern": "\\"}, {"pattern": "\\C"}, {"pattern": "[a"}, {"pattern": "ñ" * 600}])
TEMPLATE = (["a", "${linea}", "${linea}${cert.cn}", "a-${linea}-b", "$", "$a", "{a}", "$${linea}", "}", "${linea}}", "+", "#", "a/b", "\u2028"],
            ["", "${", "${}", "a${", "${linea", "${linea}${", "\n", "\u2028${"], ["${lina}", "${a${linea}", "${ linea}", "${role}"])
OWN_ATTRIBUTES = ([{}, {"a": "a"}, {"_.-9": "a"}, {"a" * 64: "a"}, {"roles": "a"}, {"cert": "a"}, {"certcn": "a"}, {"username2": "a"}],
                  [{"": "a"}, {"9": "a"}, {"a" * 65: "a"}, {"cert.cn": "a"}, {"cert.": "a"}, {"role": "a"}, {"username": "a"}, {"client_id": "a"}, {"a": ""}, {"a": 1}])
SALT, HASH = "ch/EWMfoubnQNlpK", "v1bmdiUiDyvbJlArdgZ+66amY3L1NksIfXZ3YYJPB7SPUkoH2B8IBOELWgeYZmaPwhBggBmSO6P7Z+2dm9uq/A=="
ARGON2 = "$c2FsLWxpbmVhLTAyLXh5eg$6gSVJEyHaT2trba2BeugBtMciqas2ssKwQFKYFmPv14"


def between(low, high):
    return [low, high], [low - 1, high + 1, str(low), None, low + 0.5], [float(low)]


VALUES = {
    "acl": [
        ("", [{"roles": {"lector": {}, "turno": {}}}], [{}, [], "", 1, None], [{"roles": {"lector": {"allow": [{"publish": ["a"], "when": {"times": [{}]}}]}}}]),
        ("mode", ["enforce", "watch"], ["off", "Watch", "", True]),
        ("if_not_loaded", ["refuse", "ignore"], ["Refuse", "", None]),
        ("time_zone", ["UTC", "Europe/Madrid", "Etc/GMT+6"], ["", 0], ["Nowhere/City", "../../etc/passwd", "/etc/localtime", "UTC "]),
        ("roles", [{"turno": {}, "lector": {}}], [[], {"turno": []}, {"turno": None}], [{}]),
        ("roles", *([{"turno": {}, "lector": {}, name: {}} for name in part] for part in ROLE)),
        ("roles/turno/includes", [[], ["lector"], ["lector", "lector"]], ["lector", [""], ["9a"]], [["turno"], ["nadie"]]),
        ("roles/turno/allow/0/publish/0", *TOPIC), ("roles/turno/allow/0/publish/0", *TRIE),
        ("roles/turno/deny/0/subscribe/0", *TOPIC), ("roles/turno/deny/0/receive/0", *TRIE),
        ("roles/turno/allow/1/mode", ["enforce"], ["watch"]),
        ("roles/turno/deny/1/mode", ["enforce", "watch"], ["off"]),
        ("roles/turno/allow/2", [{"publish": ["a"], "subscribe": ["a"], "receive": ["a"], "when": {"networks": ["::1"]}}, {"publish": ["a"], "when": {"retain": True}},
                                 {"subscribe": ["a"], "when": {"qos": {"max": 0}, "share_groups": ["a"]}}, {"publish": ["a"], "subscribe": ["a"], "when": {"qos": {"max": 0}}}],
         [{}, {"name": "a"}, {"publish": []}, {"publish": "a"}, {"publish": ["a"], "when": {}}, {"publish": ["a"], "when": {"//": "nothing"}},
          {"publish": ["a"], "when": {"share_groups": ["a"]}}, {"publish": ["a"], "subscribe": ["a"], "when": {"share_groups": ["a"]}},
          {"subscribe": ["a"], "when": {"retain": True}}, {"subscribe": ["a"], "when": {"payload_bytes": {"max": 9}}}, {"receive": ["a"], "when": {"qos": {"max": 0}}},
          {"receive": ["a"], "publish": ["a"], "when": {"retain": False}}, {"receive": ["a"], "when": {"share_groups": ["a"]}}]),
        ("roles/turno/allow/0/when/qos/min", *between(0, 2)),
        ("roles/turno/allow/0/when/qos", [{"min": 0}, {"max": 2}, {"min": 1, "max": 1}], [{}, {"//": 1}, 1, {"mim": 1}], [{"min": 2, "max": 1}]),
        ("roles/turno/allow/0/when/payload_bytes/max", [268435455, 1], [268435456, -1], [0, 2.0]),
        ("roles/turno/allow/0/when/networks",
         [["0.0.0.0/0"], ["::/0"], ["10.0.0.0/8"], ["10.1.2.3"], ["10.1.2.3/32"], ["10.0.0.0/08"], ["10.0.0.0/0000008"], ["fd00::/8"], ["::1"], ["::ffff:10.0.0.0/104"]],
         [[], [""], ["10.0.0.0/"], ["10.0.0.0/a"], ["10.0.0.0/-8"], ["10.0.0.0/+8"], ["10.0.0.0 /8"], ["plc.planta"], ["fe80::1%eth0"], "10.0.0.0/8", [1]],
         [["10.0.0.1/8"], ["10.0.0.0/33"], ["::/129"], ["10.0.0"], ["10.0.0.256"], ["010.0.0.1"], [":"], [".", "::1"], ["10.0.0.0/18446744073709551617"]]),
        ("roles/turno/allow/0/when/times", [[{}], [{"days": ["mon"]}], [{"from": "23:59", "to": "00:00"}], [{"from": "06:00", "to": "05:59"}]],
         [[], {}, ["mon"]], [[{"from": "06:00", "to": "06:00"}], [{"to": "00:00"}]]),
        ("roles/turno/allow/0/when/times/0/days", [["mon"], ["sat-sun"], ["sun-mon"], ["mon-mon"], ["mon", "mon"]],
         [[], "mon", ["Mon"], ["monday"], ["mon-"], ["-mon"], ["mon_fri"], ["mon-fri-sun"], ["mo"], [""], ["mon "], ["lun"]]),
        ("roles/turno/allow/0/when/times/0/from", ["00:00", "23:59", "19:00"], ["24:00", "24:01", "6:30", "06:60", "06.30", "0630", "06:30:00", "", " 6:30", "-1:00", 6]),
        ("roles/turno/allow/0/when/times/0/to", ["00:00", "24:00", "23:59"], ["24:01", "25:00", "4:00", ""], ["06:00"]),
        ("roles/turno/allow/1/when/share_groups", [["a"], ["a b", "$a", "ñ"]], [[], [""], ["a/b"], ["+"], ["a#"], ["\n"], "a"]),
        ("bindings/0/match", [{}, {"linea": "a"}, {"planta": "a"}], [[], "", {"role": "lector"}, {"cert.foo": "a"}, {"9": "a"}, {"": "a"}], [{"lina": "a"}, {"cert": "a"}]),
        ("bindings/0/match/cert.cn", *MATCH), ("bindings/0/match/username", *MATCH), ("bindings/0/match/linea", *MATCH),
        ("bindings/0/roles", [[], ["lector"]], ["lector", {}, [1]], [["nadie"]]),
        ("bindings/0/roles/0", *ROLE_USED),
    ],
    "aduana": [
        ("", [{}, {"//": "nothing"}], [[], "", None, {"audit": {}}, {"mode": "watch"}]),
        ("gate", [True, False], [1, "true", None]), ("watch_folder", [True, False], [0, "", None]),
        ("audit", [{"to": "journald"}], [{}, [], "stderr", None, {"to": "stderr", "level": "debug"}]),
        ("audit/to", ["syslog", "journald", "stderr", "file:/", "file:/a b", "file:/ñ/🏭", "file:/a/../b", "file:/dev/null"],
         ["", "file", "file:", "file:audit.log", "/var/log/a", "File:/a", "Stderr", "stdout", "syslog ", "file:/\n", "file:/a\x7f", 1, None, ["stderr"]],
         ["file:/" + "ñ" * 3000]),
        ("audit/to", ["file:/" + "a" * 3999], ["file:/" + "a" * 4000]),
        ("audit/allowed", [True, False], [0, "true", None]), ("audit/required", [True, False], [1, "", None]),
        ("audit/lines_per_second", *between(1, 1000000)), ("audit/queue", *between(64, 65536)),
    ],
    "cert_auth": [
        ("identities", [[]], [{}, [[]]]),
        ("identities/0/match", [{}, {"cert.cn": "a"}], [{"username": "a"}, {"client_id": "a"}, {"linea": "a"}, {"role": "lector"}, {"cert.foo": "a"}, {"cert.": "a"}, {"issuer.cn": "a"}]),
        ("identities/0/match/cert.cn", *MATCH), ("identities/0/match/cert.san.dns", *MATCH),
        ("authorities", [{f"{name}": {"roots": ["root.pem"]} for name in ["planta", "norte", "ñ", "", *range(60)]}],
         [{}, {"//": "nothing"}, [], {f"{name}": {"roots": ["root.pem"]} for name in ["planta", "norte", *range(63)]}], [{"planta": {"roots": ["root.pem"]}}]),
        ("authorities/planta/roots", [["root.pem"], ["root.pem", "root.pem"]], [[], "root.pem", [""], [1]],
         [["none.pem"], ["intermediate.pem"], ["cert_auth.json"], ["."], ["a" * 5000]]),
        ("authorities/planta/intermediates", [[], ["intermediate.pem"], ["root.pem"]], ["intermediate.pem", [""]], [["none.pem"], ["passwd"]]),
        ("authorities/planta/security_level", *between(0, 5)),
        ("revocation/crl_files", [[], ["crl.pem"], ["lists/crl.pem", "crl.pem"]], ["crl.pem", {}, [""], [1]], [["none.pem"], ["lists.pem"], ["lists"], ["passwd"]]),
        ("revocation/crl_folders", [[], ["lists"], ["lists", "lists"]], ["lists", [""]], [["none"], ["crl.pem"], ["."]]),
        ("revocation/crl_urls", [[], ["https://crl.planta:8443/a?b=c"], ["http://10.0.0.1"]],
         ["http://10.0.0.1", ["file:///etc/passwd"], ["ftp://x/y"], ["crl.pem"], ["http:/x"], ["//x"], [""], ["http://x"] * 65],
         [["http://"], ["http://user:secret@x/"], ["http://user@x/"], ["http://x:port/"]]),
        ("revocation/ca_files", [["lists.pem"], ["root.pem", "lists.pem"]], ["lists.pem", [""]], [["crl.pem"], ["none.pem"], []]),
        ("revocation/recheck_seconds", *between(1, 86400)), ("revocation/refetch_seconds", *between(1, 604800)),
        ("revocation/alert_hours", *between(1, 8784)), ("revocation/grace_hours", *between(1, 8784)),
        ("revocation/expired", ["warn"], ["refuse", "", "ignore", True]), ("revocation/unknown", ["refuse", "allow"], ["", "warn", None]),
        ("revocation/ocsp", ["off", "soft", "hard"], ["", "Hard", "on", True, None]),
        ("revocation/ocsp_responder", ["http://ocsp.planta", "https://10.0.0.1:8443/a?b=c", "http://x/" + "a" * 1014],
         ["ocsp.planta", "file:///etc/passwd", "ldap://x/", "", 1, "http://x/" + "a" * 1015],
         ["http://", "http://user:secret@x/", "http://x:port/", "http://x/" + "ñ" * 600]),
        ("revocation/ocsp_hosts", [["a"], ["10.0.0.1", "a"], ["[::1]"]], ["a", [], [""], [1], ["http://a"], ["a/b"], ["u@a"], ["*.planta"], ["a b"]]),
        ("revocation/ocsp_nonce", ["required", "optional"], ["", "no", True]),
        ("revocation/ocsp_refresh_seconds", *between(1, 604800)), ("revocation/ocsp_timeout_seconds", *between(1, 60)),
        ("revocation/ocsp_skew_seconds", *between(0, 3600)), ("revocation/ocsp_max_age_hours", *between(1, 8784)),
        ("revocation", [{"ocsp": "off", "ca_files": ["lists.pem"]}, {"ocsp": "soft"}],
         [{"ocsp_nonce": "required"}, {"crl_urls": ["http://x/"], "ocsp_hosts": ["a"]}]),
        ("revocation", [{"crl_files": ["crl.pem"], "ca_files": ["lists.pem"]}, {"crl_urls": ["http://x/"]}],
         [{}, [], None, {"ca_files": ["lists.pem"]}, {"crl_files": [], "crl_urls": []}, {"crl_urls": ["http://x/"], "grace_hours": 1}]),
        ("", [], [], [{"identities": [], "revocation": {"crl_urls": ["http://x/"]}}]),
        ("identities/0/authority", ["planta", ["norte"], ["planta", "planta"]], [[], "", {}, [""], [["planta"]], None], ["nadie", ["planta", "Planta"]]),
        ("identities/0/attributes", *([{"linea": "a", **value} for value in part] for part in OWN_ATTRIBUTES)),
        ("identities/0/attributes/linea", ["a", {"from": "cert.cn", "pattern": "a"}, {"from": "planta", "pattern": "a"}, {"from": "username", "pattern": "a"}],
         ["", {}, [], ["a"], {"from": "cert.cn"}, {"pattern": "a"}, {"from": "", "pattern": "a"}, {"from": "a b", "pattern": "a"}, {"from": "a" * 65, "pattern": "a"}],
         [{"from": "cert.foo", "pattern": "a"}, {"from": "cert.cn", "pattern": "(("}]),
        ("identities/0/username", *TEMPLATE), ("identities/0/client_id", *TEMPLATE), ("identities/1/client_id/prefix", *TEMPLATE),
        ("identities/0/client_id", [{"prefix": "a-"}, {"prefix": "a"}], [{}, [], ["a"], 1, None, {"prefix": {}}, {"//": "a-"}, {"prefix": "a-", "suffix": "a"}]),
        ("identities/1/connections/max", *between(1, 10000)), ("identities/0/connections", [{"max": 1}], [{}, {"//": 1}, [], 1, None, {"max": 1, "min": 1}]),
        ("expiry", [{}, {"warn_days": 7}, {"warn_days": 0, "critical_days": 0}], [[], 1, None, {"warn": 7}, {"days": 7}], [{"warn_days": 6}, {"critical_days": 31}]),
        ("expiry/warn_days", [7, 3650], [-1, 3651, "30", None, 30.5], [0, 6, 30.0]), ("expiry/critical_days", [0, 30], [-1, 3651, "7", None], [31, 7.0]),
        ("expiry/lifetime_most_days", *between(1, 36500)), ("expiry/recent_days", *between(1, 3650)),
        ("identities/0/password", ["no", "required"], ["yes", "", True]),
        ("identities/0/roles/0", *ROLE_USED),
    ],
    "iam_auth": [
        ("require", ["both", "certificate", "password", "either"], ["none", "", "Both"]),
        ("providers", [[], ["local"]], [["local", "local"], ["ldap"], [""], "local", {"local": {}}]),
        ("local", [{}, {"users": {}}, {"password_file": "passwd"}], [[], None, {"user": {}}, {"password_file": ""}], [{"password_file": "none"}, {"password_file": "acl.json"}, {"password_file": "."}]),
        ("local", [{"users": {"//": "a comment"}}], [{"users": {"a": {}}}, {"users": {"a": {"roles": []}}}]),
        ("local/users", [], [[], {"a": None}, {"a": "hash"}], [{"a": {}}]),
        ("local/users/linea4/password",
         [f"$7$1${SALT}${HASH}", f"$7$1000000${SALT}${HASH}", f"$7$101$AAAAAAAAAAA=${HASH}", f"$argon2id$v=19$m=8,t=1,p=1{ARGON2}"],
         ["", "secret", HASH, f"$6$101${SALT}${HASH}", f"$7$0${SALT}${HASH}", f"$7$0101${SALT}${HASH}", f"$7$1000001${SALT}${HASH}", f"$7$-1${SALT}${HASH}", f"$7$ 101${SALT}${HASH}",
          f"$7$101$${HASH}", f"$7$101${SALT}$", f"$7$101${SALT}${HASH[:-1]}", f"$7$101${SALT}${HASH}=", f"$7$101${SALT}${HASH}$", f"$7$101${SALT}${HASH[:-4]}",
          f"$argon2i$v=19$m=64,t=2,p=1{ARGON2}", f"$argon2id$v=16$m=64,t=2,p=1{ARGON2}", f"$argon2id$m=64,t=2,p=1{ARGON2}", f"$argon2id$v=19$m=064,t=2,p=1{ARGON2}",
          f"$argon2id$v=19$m=+64,t=2,p=1{ARGON2}", f"$argon2id$v=19$m=64,t=0,p=1{ARGON2}", f"$argon2id$v=19$m=64,t=11,p=1{ARGON2}", f"$argon2id$v=19$m=64,t=2,p=5{ARGON2}",
          f"$argon2id$v=19$m=100000,t=2,p=1{ARGON2}", f"$argon2id$v=19$m=64,t=2,p=1{ARGON2}=", f"$argon2id$v=19$m=64,t=2,p=1{ARGON2}{'A' * 500}", 1, None],
         [f"$7$101$AAAA${HASH}", f"$7$101$AAAAAAAAAA==${HASH}", f"$7$101$AAAAA${HASH}", f"$7$101${'A' * 92}${HASH}",
          f"$argon2id$v=19$m=65537,t=2,p=1{ARGON2}", f"$argon2id$v=19$m=7,t=2,p=1{ARGON2}", f"$argon2id$v=19$m=64,t=2,p=1$AAAA${HASH[:43]}"]),
        ("local/users/linea3/attributes", *([{"linea": "a", **value} for value in part] for part in OWN_ATTRIBUTES)),
        ("local/users/linea3/roles/0", *ROLE_USED),
        ("local/users/linea5", [{}], [[]], [{"password": f"$7$101${SALT}${HASH}"}]),
    ],
    "rate_monitor": [
        ("classes", [[]], [{}, [[]]]),
        ("classes/0/match", [{}, {"planta": "a"}], [{"cert.foo": "a"}], [{"lina": "a"}]),
        ("classes/0/match/role", ["lector"], ["", "9", ["lector"], {"pattern": "l.*"}], ["nadie"]),
        ("classes/0/match/linea", *MATCH),
        ("classes/0/publish/max_per_second", *between(1, 1000000)), ("classes/0/connections/max_per_minute", *between(1, 1000000)),
        ("classes/0/publish/clear_seconds", *between(1, 86400)), ("classes/0/connections/clear_seconds", *between(1, 86400)),
        ("classes/0/publish", [{"max_per_second": 1}], [{}, {"clear_seconds": 1}, {"max_per_minute": 1}]),
        ("classes/0/learn", [True, False], [0, "true", None]), ("classes/0/silence_seconds", *between(1, 2592000)),
        ("alerts/max_per_minute", *between(1, 1000000)),
        ("alerts/qos", *between(0, 2)), ("alerts/retain", [True, False], [0, "true", None]),
        ("alerts/topic", ["a", "/", "${kind}", "${class}/${client_id}/${username}", "a/${kind}/b", "$SYS/a", "$", "{kind}", "a}b", "ñ", "\u2028", "a" * 1023, "${client_id}/" * 100 + "a"],
         ["", "+", "a/#", "a+", "${", "${}", "${linea}", "${kind}a", "a${kind}", "${kind}${class}", "$${kind}", "${kind", "\n", "\u2028${kind}", "${kind}}"], ["a" * 1024]),
        ("counters/topic", ["a", "$SYS/a", "$", "{kind}", "a" * 65535], ["", "+", "#", "${kind}", "a/${", "a" * 65536, "\u2028${", "\n"], ["ñ" * 33000]),
        ("counters/every_seconds", *between(1, 86400)),
    ],
    "topic_policy": [
        ("names/characters",
         ["a", "a-z0-9_-", "^a", "\\]", "\\\\", "\\[", "[", "[:alpha:]", "[:^alpha:]", "a[:digit:]-", "\\d", "\\x{5d}", "\\c]", "\\c\\", "[:", "[a", "ñ", "\\ñ", "🏭", "a" * 1020],
         ["", "]", "a]", "a-z]0-9", "\\", "a\\", "\\\\]", "\\c]]", "[:alpha:]]", "[:alpha]", "[:Alpha:]", "\n", "a" * 1021, "\\\n", "\\c", ["a"], "[" * 40 + "[:a:]" * 40 + "\\ca" * 40 + "]"],
         ["z-a", "^", "[:foo:]", "\\p{X", "[:alpha:]-z", "ñ" * 511, "\\N{U+zz}"]),
        ("names/lowercase", [True, False], [1, "true", None]),
        ("names/max_level_bytes", *between(1, 1024)), ("names/max_topic_bytes", *between(1, 65535)),
        ("depth/min", [1, 6], [0, 129], [7, 128, 2.0]), ("depth/max", [3, 128], [0, 129], [2, 1]),
        ("depth", [{}, {"min": 16}, {"max": 1}], [{"mim": 1}, []], [{"min": 17}]),
        ("reserved_levels", [{}, {"a b": {"publish_roles": []}}, {"ñ": {"publish_roles": []}}, {"${linea}": {"publish_roles": []}}, {"$": {"publish_roles": []}}],
         [[]] + [{level: {"publish_roles": []}} for level in ("", "a/b", "+", "#", "a+", "\n", "\x7f", "\u0080", "\u009f")]),
        ("reserved_levels/_sys", [{"publish_roles": []}], [{}, [], {"publish_roles": "lector"}, {"roles": []}], [{"publish_roles": ["nadie"]}]),
        ("exempt", [[]], ["#", {}, [["#"]]]),
        ("exempt/0", *TOPIC),
        ("exempt/0", ["/" * 300], []),
    ],
}


def texts(text):
    """The same of whole files: what is done to the text of a good one."""
    plain = text.replace('  "//": "Every key of the schema stands here once at least.",\n', "")

    def comment(value):
        return plain.replace("{", '{"//": ' + value + ",", 1)

    good = {"as it is": text, "without its comment": plain, "blanks": " \n\t" + text + "\r\n", "CRLF": text.replace("\n", "\r\n"),
            "numbers in a comment": comment("[1e308, -0, 9223372036854775807, 1E-400]"), "escapes": comment('"\\u00f1\\ud83c\\udfed\\/\\uffff"'),
            "nesting": comment("[" * 2000 + "]" * 2000)}
    bad = {"empty": "", "blank": " ", "cut": text[:-2], "half": text[:len(text) // 2], "twice": text + text, "more behind": text + "x", "a list": "[" + text + "]",
           "NUL behind": text + "\0", "byte order mark": "\ufeff" + text, "UTF-16": text.encode("utf-16"), "not UTF-8": comment('"x"').encode().replace(b'"x"', b'"\xff"'),
           "overlong": comment('"x"').encode().replace(b'"x"', b'"\xc0\xaf"'), "surrogate": comment('"x"').encode().replace(b'"x"', b'"\xed\xa0\x80"'),
           "JSON with comments": "// x\n" + text, "trailing comma": comment("[1,]"), "single quotes": comment("'x'"), "NaN": comment("NaN"), "control": comment('"\n"'),
           "octal": comment("01"), "hexadecimal": comment("0x1"), "bare key": plain.replace("{", "{x: 1,", 1), "null": "null", "a number": "1", "a text": '"x"'}
    loader = {"a key twice": comment('{"a": 1, "a": 1}'), "a comment twice": comment('1, "//": 2'), "too deep": comment("[" * 3000 + "]" * 3000),
              "very deep": comment("[" * 100000 + "]" * 100000), "beyond 64 bits": comment("99999999999999999999"), "beyond a double": comment("1e400"),
              "lone surrogate": comment('"\\ud800"'), "NUL": comment('"\\u0000"'), "NUL in a key": comment('{"\\u0000": 1}')}
    return good, bad, loader
