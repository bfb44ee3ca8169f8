//! Replies of a server into a [`Server`]. Tolerant of what is missing where a cautious reading exists, and of nothing else.

use std::collections::BTreeMap;

use redis::{Value, from_redis_value};

use super::{Fsync, Memory, Persistence, Replica, Role, Server, Settings};

/// The server's clock, in milliseconds since 1970.
pub fn time_ms(reply: Value) -> Result<i64, String> {
    let (secs, micros): (i64, i64) = from_redis_value(reply)
        .map_err(|error| format!("the reply to TIME makes no sense: {error}"))?;
    Ok(secs * 1000 + micros / 1000)
}

/// What `INFO` and `CONFIG GET` tell; none: `CONFIG` is blocked.
pub fn server(info: Value, config: Option<Value>, clock_ahead_ms: i64) -> Result<Server, String> {
    let text: String = from_redis_value(info)
        .map_err(|error| format!("the reply to INFO makes no sense: {error}"))?;
    let info = Info(parse(&text));
    let config = match config {
        Some(reply) => Some(config_of(reply)?),
        None => None,
    };
    let said = |name: &str| config.as_ref().and_then(|config| config.get(name));
    Ok(Server {
        product: info.get("server_name").unwrap_or("redis").to_owned(),
        version: info.must("redis_version")?.parse()?,
        run_id: info.must("run_id")?.to_owned(),
        replication_id: info.get("master_replid").unwrap_or_default().to_owned(),
        role: match info.must("role")? {
            "master" => Role::Primary,
            _ => Role::Replica,
        },
        in_cluster: info.get("cluster_enabled") == Some("1"),
        replicas: info.replicas(),
        persistence: Persistence {
            aof: info.get("aof_enabled") == Some("1"),
            loading: info.get("loading") == Some("1"),
            aof_write_ok: info.is_ok("aof_last_write_status"),
            aof_rewrite_ok: info.is_ok("aof_last_bgrewrite_status"),
            snapshot_ok: info.is_ok("rdb_last_bgsave_status"),
        },
        memory: Memory {
            used: info.number("used_memory"),
            limit: said("maxmemory")
                .and_then(|bytes| bytes.parse().ok())
                .unwrap_or_else(|| info.number("maxmemory")),
            machine: info.number("total_system_memory"),
            policy: said("maxmemory-policy")
                .map(String::as_str)
                .or_else(|| info.get("maxmemory_policy"))
                .map(str::to_owned),
        },
        settings: config.as_ref().and_then(settings),
        clock_ahead_ms,
    })
}

/// `name:value` lines; sections and what is no such line are passed over.
struct Info<'a>(BTreeMap<&'a str, &'a str>);

fn parse(text: &str) -> BTreeMap<&str, &str> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.trim_end().split_once(':'))
        .collect()
}

impl Info<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).copied()
    }

    fn must(&self, name: &str) -> Result<&str, String> {
        self.get(name)
            .ok_or_else(|| format!("the server's INFO does not name its `{name}`"))
    }

    fn number(&self, name: &str) -> u64 {
        self.get(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(0)
    }

    /// A status that is not told is no bad one.
    fn is_ok(&self, name: &str) -> bool {
        self.get(name).is_none_or(|status| status == "ok")
    }

    /// `slave0:ip=127.0.0.1,port=6380,state=online,offset=14,lag=1`.
    fn replicas(&self) -> Vec<Replica> {
        let told = (0..self.number("connected_slaves"))
            .filter_map(|index| self.get(&format!("slave{index}")));
        told.map(|line| {
            let fields: BTreeMap<_, _> = line
                .split(',')
                .filter_map(|field| field.split_once('='))
                .collect();
            let field = |name| fields.get(name).copied().unwrap_or_default();
            Replica {
                address: format!("{}:{}", field("ip"), field("port")),
                online: field("state") == "online",
                lag_secs: field("lag").parse().unwrap_or(u64::MAX),
            }
        })
        .collect()
    }
}

fn config_of(reply: Value) -> Result<BTreeMap<String, String>, String> {
    from_redis_value(reply)
        .map_err(|error| format!("the reply to CONFIG GET makes no sense: {error}"))
}

/// None where a setting that decides is not shown: half an answer is none.
fn settings(config: &BTreeMap<String, String>) -> Option<Settings> {
    let yes = |name: &str| config.get(name).map(|value| value == "yes");
    let number = |name: &str| config.get(name).and_then(|value| value.parse().ok());
    Some(Settings {
        fsync: match config.get("appendfsync")?.as_str() {
            "always" => Fsync::Always,
            "everysec" => Fsync::EverySecond,
            _ => Fsync::No,
        },
        unsynced_on_rewrite: yes("no-appendfsync-on-rewrite")?,
        load_truncated: yes("aof-load-truncated").unwrap_or(true),
        min_replicas_to_write: number("min-replicas-to-write").unwrap_or(0),
        min_replicas_max_lag_secs: number("min-replicas-max-lag").unwrap_or(10),
        snapshots: config.get("save").is_some_and(|save| !save.is_empty()),
        replica_priority: number("replica-priority").unwrap_or(100),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "# Server\r\nredis_version:7.2.11\r\nrun_id:abc\r\nloading:0\r\naof_enabled:1\r\n\
        aof_last_write_status:err\r\nused_memory:700\r\nmaxmemory:1000\r\nmaxmemory_policy:noeviction\r\n\
        role:master\r\nconnected_slaves:2\r\n\
        slave0:ip=10.0.0.2,port=6380,state=online,offset=14,lag=1\r\n\
        slave1:ip=10.0.0.3,port=6381,state=wait_bgsave,offset=0,lag=0\r\nmaster_replid:def\r\ncluster_enabled:0\r\n";

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn what_a_server_says_is_read() {
        let config = Value::Array(
            [
                "appendfsync",
                "always",
                "no-appendfsync-on-rewrite",
                "no",
                "save",
                "",
                "min-replicas-to-write",
                "1",
            ]
            .map(bulk)
            .to_vec(),
        );
        let read = server(bulk(INFO), Some(config), 3).unwrap();
        assert_eq!(
            (read.product.as_str(), read.run_id.as_str(), read.role),
            ("redis", "abc", Role::Primary)
        );
        assert_eq!(
            read.replicas[0],
            Replica {
                address: "10.0.0.2:6380".to_owned(),
                online: true,
                lag_secs: 1
            }
        );
        assert!(!read.replicas[1].online);
        assert!(read.persistence.aof && !read.persistence.aof_write_ok);
        assert_eq!((read.memory.used, read.memory.limit), (700, 1000));
        let settings = read.settings.unwrap();
        assert_eq!(settings.fsync, Fsync::Always);
        assert!(!settings.snapshots && settings.min_replicas_to_write == 1);
    }

    #[test]
    fn blocked_or_half_an_answer_is_none() {
        assert_eq!(server(bulk(INFO), None, 0).unwrap().settings, None);
        let half = Value::Array(["maxmemory", "5"].map(bulk).to_vec());
        let read = server(bulk(INFO), Some(half), 0).unwrap();
        assert_eq!((read.settings, read.memory.limit), (None, 5));
    }

    #[test]
    fn what_is_no_redis_is_said() {
        for text in [
            "",
            "hello",
            "redis_version:x\r\nrun_id:a\r\nrole:master",
            "redis_version:7.0.1",
        ] {
            assert!(server(bulk(text), None, 0).is_err(), "{text}");
        }
        assert!(time_ms(bulk("12")).is_err());
        assert_eq!(
            time_ms(Value::Array(["5", "7000"].map(bulk).to_vec())),
            Ok(5007)
        );
    }
}
