//! Tenants, by example.

use super::*;
use crate::diagnostic::Diagnostics;
use crate::source::Source;

fn said(text: &str) -> String {
    let mut out = Diagnostics::new();
    let found = read("acme", &Source::new("tenant.yaml", text), &mut out);
    assert!(found.is_some() || out.has_errors());
    out.sorted().lines()
}

#[test]
fn a_whole_tenant() {
    let text = "name: { zh-CN: 艾可学, en: Acme }
timezone: Asia/Shanghai
currency: CNY
languages: [zh-CN, en]
law: CN
organizer: Acme
archive: 3 years
keys: [{ kid: users, alg: HS256, env: ACME_KEY }, { kid: users-2, alg: EdDSA, file: keys/b.pem }]
admin_keys: [{ kid: admins, alg: HS256, dev: true }]
service_keys: [{ kid: backend, alg: RS256, file: keys/c.pem }]
claims: { level: { type: int, default: 1 }, tags: list, since: { type: date, default: 2026-01-01 }, beta: bool }
origins: [https://www.example.com, http://localhost:5173]
trusted_proxies: [127.0.0.1, 10.0.0.0/8, ::1]
quotas: { per_second: 100 }
connectors: { desk: { kind: manual } }
durability: strict
";
    let mut out = Diagnostics::new();
    let tenant = read("acme", &Source::new("tenant.yaml", text), &mut out).unwrap();
    insta::assert_snapshot!(out.sorted().lines(), @r"N0801 9:14 `admins` is a development key: it is made on first use, for this machine only");
    insta::assert_snapshot!(serde_json::to_string_pretty(&tenant).unwrap(), @r#"
    {
      "id": "acme",
      "name": {
        "en": "Acme",
        "zh-CN": "艾可学"
      },
      "keys": [
        {
          "kid": "users",
          "alg": "HS256",
          "source": {
            "env": "ACME_KEY"
          }
        },
        {
          "kid": "users-2",
          "alg": "EdDSA",
          "source": {
            "file": "keys/b.pem"
          }
        }
      ],
      "admin_keys": [
        {
          "kid": "admins",
          "alg": "HS256",
          "source": "dev"
        }
      ],
      "service_keys": [
        {
          "kid": "backend",
          "alg": "RS256",
          "source": {
            "file": "keys/c.pem"
          }
        }
      ],
      "claims": [
        {
          "name": "level",
          "ty": "int",
          "default": {
            "Int": 1
          }
        },
        {
          "name": "tags",
          "ty": "strs",
          "default": {
            "Strs": []
          }
        },
        {
          "name": "since",
          "ty": "date",
          "default": {
            "Int": 20454
          }
        },
        {
          "name": "beta",
          "ty": "bool",
          "default": {
            "Bool": false
          }
        }
      ],
      "origins": [
        "https://www.example.com",
        "http://localhost:5173"
      ],
      "trusted_proxies": [
        "127.0.0.1",
        "10.0.0.0/8",
        "::1"
      ],
      "timezone": "Asia/Shanghai",
      "currency": {
        "code": "CNY",
        "digits": 2
      },
      "languages": [
        "zh-CN",
        "en"
      ],
      "quotas": {
        "per_second": 100,
        "burst": 4000,
        "user_per_second": 10,
        "user_burst": 20,
        "list_members": 5000000,
        "pool_codes": 10000000
      },
      "law": "CN",
      "connectors": {
        "desk": {
          "kind": "manual"
        },
        "manual": {
          "kind": "manual"
        }
      },
      "durability": "strict",
      "organizer": {
        "zh-CN": "Acme"
      },
      "archive_ms": 94867200000,
      "review": {
        "approvals": 0
      },
      "posters": {
        "picture_hosts": [],
        "fonts": [],
        "storage": null
      }
    }
    "#);
    let again: Tenant = serde_json::from_str(&serde_json::to_string(&tenant).unwrap()).unwrap();
    assert_eq!(again, tenant);
}

#[test]
fn the_least_tenant_has_defaults() {
    let mut out = Diagnostics::new();
    let tenant = read(
        "acme",
        &Source::new("tenant.yaml", "name: Acme\ntimezone: UTC\n"),
        &mut out,
    )
    .unwrap();
    insta::assert_snapshot!(out.lines(), @r"
    W0801 1:1 no `keys`: no token of a user can be checked
      = while developing: `keys: [{ kid: users-dev, alg: HS256, dev: true }]`
    ");
    assert_eq!(
        (
            tenant.currency.code.as_str(),
            tenant.language(),
            tenant.quotas
        ),
        ("CNY", "en", Quotas::default())
    );
    assert_eq!(tenant.organizer, tenant.name);
}

#[test]
fn everything_wrong_is_said_at_once() {
    insta::assert_snapshot!(said("nam: Acme
timezone: Asia/Shangai
currency: XYZ
languages: [zh_CN, en, en]
keys:
  - { kid: a, alg: HS512, env: A }
  - { kid: a, alg: HS256 }
  - { kid: b, alg: HS256, env: B, dev: true }
  - { kid: c, alg: HS256, dev: false }
  - { kid: d, alg: HS256, env: D }
  - { kid: d, alg: HS256, env: E }
  - { kid: 'e f', alg: HS256, env: F }
admin_keys: [{ kid: x, alg: HS256, env: D }]
claims: { sub: int, my-level: int, n: { type: int, default: many }, u: uint }
origins: ['*', example.com, https://a.b/c, https://ok.com]
trusted_proxies: [localhost, 10.0.0.0/33]
quotas: { per_second: 0, brust: 5 }
connectors: { Desk: { kind: manual }, mail: { kind: smtp } }
durability: eventual
"), @r"
    E0007 1:1 `nam` is not a key of a tenant
      = did you mean `name`?
    E0110 2:11 `Asia/Shangai` is not a timezone of the IANA database
      = did you mean `Asia/Shanghai`?
    E0806 3:11 how many digits after the point `XYZ` has is not known here
      = write `{ code: XYZ, digits: 2 }`
    E0807 4:13 `zh_CN` is not a language tag
      = write `zh-CN`
    E0807 4:24 `en` stands here a second time
    E0113 6:20 `HS512` is not possible here: it must be `HS256`, `EdDSA` or `RS256`
    E0801 7:5 a key is found in exactly one place, this one names 0
      = write one of `env: ACME_USERS_KEY`, `file: keys/users.pem`, and while developing `dev: true`
    E0801 8:5 a key is found in exactly one place, this one names 2
      = write one of `env: ACME_USERS_KEY`, `file: keys/users.pem`, and while developing `dev: true`
    E0801 9:5 a key is found in exactly one place, this one names 0
      = write one of `env: ACME_USERS_KEY`, `file: keys/users.pem`, and while developing `dev: true`
    E0802 11:5 a second key with the kid `d`
    E0801 12:12 `e f` can't be a kid: 1 to 64 visible characters of ASCII
    E0801 13:14 `x` is a key of users, too: whoever makes users' tokens could make admins
    E0803 14:11 `sub` can't be a claim that expressions read
      = letters, digits and `_`, not beginning with a digit; neither a word of expressions nor one of the token's own, such as `sub`
    E0803 14:21 `my-level` can't be a claim that expressions read
      = letters, digits and `_`, not beginning with a digit; neither a word of expressions nor one of the token's own, such as `sub`
    E0101 14:61 a whole number is expected, not `many`
    E0113 14:72 `uint` is not possible here: it must be `int`, `bool`, `string`, `list`, `strings`, `date`, `time` or `duration`
      = did you mean `int`?
    E0804 15:11 `*` is not a web origin
      = name each origin: any page of the web could call otherwise
    E0804 15:16 `example.com` is not a web origin
      = write `https://www.example.com`: scheme, host in small letters, port if any; no path
    E0804 15:29 `https://a.b/c` is not a web origin
      = write `https://www.example.com`: scheme, host in small letters, port if any; no path
    E0805 16:19 `localhost` is neither an address nor a network
      = write `10.0.0.7` or `10.0.0.0/8`
    E0805 16:30 `10.0.0.0/33` is neither an address nor a network
      = write `10.0.0.7` or `10.0.0.0/8`
    E0102 17:23 `0` is out of range: it must be from 1 to 10000000
    E0007 17:26 `brust` is not a key of a quota
      = did you mean `burst`?
    E0112 18:15 `Desk` can't be the id of a connector
      = write `desk`
    E0113 18:53 `smtp` is not possible here: it must be `manual` or `http`
    E0113 19:13 `eventual` is not possible here: it must be `strict` or `standard`
    ");
}
