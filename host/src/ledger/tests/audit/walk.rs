//! Every table and every column that the database has, as the database itself tells them: a change of any is found, or stands in
//! the list below with its reason.

use super::lived::lived_in;
use super::*;
use crate::ledger::store::query;

on_both![whatever_is_changed_is_found_or_told_why_not];

/// What no digest is of, and why not: a table, or a column of one; `+` for rows that are put in, `-` for rows that are taken out.
/// `SECURITY.md` has the same list, and the test below holds it to that.
const NOT_COVERED: &[(&str, &str)] = &[
    ("_sqlx_migrations", "a hub compares its steps with those it was built with when it opens the database"),
    ("audit_head.one", "there is one row, and a constraint says so"),
    ("audit_head+", "there is one row, and a constraint says so"),
    ("ledger_identity", "whoever changes it keeps the master key from being rotated, and no more"),
    ("audit_checkpoints", "they are signed, and `audit verify` checks that"),
    ("hubs", "moves every few seconds; it is shown to whoever keeps the hub, and no right rests on it"),
    ("definitions.stored_at_ms", "nothing depends on it"),
    ("partners.applied_at_ms", "nothing depends on it"),
    ("connections.applied_at_ms", "nothing depends on it"),
    ("webhooks.applied_at_ms", "nothing depends on it"),
    ("jobs.applied_at_ms", "nothing depends on it"),
    ("jobs.scheduled_through_ms", "moves with each slot; a slot that is passed over leaves no run"),
    ("jobs.next_due_ms", "moves with each slot; a slot that is passed over leaves no run"),
    ("runs.attempt", "moves with each claim"),
    ("runs.lease", "moves with each claim; the log has it too"),
    ("runs.hub", "moves with each claim; the log has it too"),
    ("runs.claimable_at_ms", "moves with each heartbeat"),
    ("runs.rank_ms", "moves with each claim; who goes first is all that it says"),
    ("runs.priority", "who goes first is all that it says"),
    ("runs.last_event", "a hub that starts works the row out of its log where they disagree"),
    ("runs.overdue_at_ms", "when somebody is told is all that it says"),
    ("runs.overdue", "when somebody is told is all that it says"),
    ("runs.artefacts_expired_at_ms", "what retention did is in the trail; what it left is covered"),
    ("runs.rejects_expired_at_ms", "what retention did is in the trail; what it left is covered"),
    ("runs.log_trimmed_at_ms", "what retention did is in the trail; what it left is covered"),
    ("tokens.last_used_at_ms", "moves with use"),
    ("tokens.refused_at_ms", "moves with use; whoever sets it can keep uses of a dead token out of the trail"),
    ("sessions.used_at_ms", "moves with use"),
    ("sessions.idle_until_ms", "moves with use; the session's end does not"),
    ("sessions-", "whoever takes one out signs somebody out"),
    ("sights-", "whoever takes one out has the next look noted once more"),
    ("log_lines", "what plugins noted: nothing depends on it"),
    ("partitions", "moves with each claim; what they came to is in the run's log when they are joined"),
    ("canary_runs", "counts ends of runs, which the runs' own rows and logs say"),
    ("artefacts_used", "worked out of the logs; a file that was removed is missed by its digest"),
    ("artefacts_going", "nothing is removed that a run uses"),
    ("notices", "a message to people; what it tells of is covered"),
    ("webhook_messages", "a message that waits; what it tells of is covered, and a receiver can ask for it"),
    ("kept_answers", "kept for a day, for who asks the same again; what the first did is covered"),
    ("sign_in_failures", "how long somebody waits who fails to sign in: whoever clears it can guess faster"),
    ("sign_ins_begun", "kept for minutes; whom a provider vouches for is asked of the provider"),
];

/// Values that constraints allow, for columns that take no others.
const ALLOWED: [&str; 12] = [
    "'failed'",
    "'held'",
    "'warn'",
    "'reject'",
    "'superseded'",
    "'dismissed'",
    "'canary'",
    "'parallel'",
    "'same'",
    "'refused'",
    "'proposed'",
    "7",
];

/// A column as the database tells it.
#[derive(Debug, Clone, sqlx::FromRow)]
struct Column {
    of: String,
    named: String,
    kind: String,
    key: i64,
}

impl Column {
    fn is_text(&self) -> bool {
        self.kind.eq_ignore_ascii_case("text")
    }

    /// Some other value, and still a value of its own in each row.
    fn changed(&self, on: Kind) -> String {
        let named = &self.named;
        match self.kind.to_ascii_lowercase().as_str() {
            "text" => format!("COALESCE({named}, 'x') || '~'"),
            "blob" if on == Kind::Sqlite => "x'0102'".to_owned(),
            "blob" | "bytea" => "'\\x0102'".to_owned(),
            _ => format!("COALESCE({named}, 0) + 5000000"),
        }
    }
}

async fn columns(house: &House) -> Vec<Column> {
    let sql = match house.database {
        Database::Sqlite(_) => {
            "SELECT tables.name AS of, columns.name AS named, columns.type AS kind, columns.pk AS key
             FROM sqlite_master AS tables JOIN pragma_table_info(tables.name) AS columns
             WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%' ORDER BY tables.name, columns.cid"
        }
        Database::Postgres(_) => {
            "SELECT CAST(c.table_name AS TEXT) AS of, CAST(c.column_name AS TEXT) AS named, CAST(c.data_type AS TEXT) AS kind,
               CAST((SELECT COUNT(*) FROM information_schema.table_constraints AS t JOIN information_schema.key_column_usage AS k
                 ON k.constraint_name = t.constraint_name AND k.table_schema = t.table_schema
                 WHERE t.constraint_type = 'PRIMARY KEY' AND t.table_schema = c.table_schema AND t.table_name = c.table_name
                   AND k.column_name = c.column_name) AS BIGINT) AS key
             FROM information_schema.columns AS c
             WHERE c.table_schema = CURRENT_SCHEMA() ORDER BY c.table_name, c.ordinal_position"
        }
    };
    query(sql).fetch_all(&house.ledger.store).await.unwrap()
}

fn excused(what: &str) -> bool {
    NOT_COVERED.iter().any(|(known, _)| *known == what)
}

/// Rows as they are, to be put back.
struct Walk {
    house: House,
    on: Kind,
    unfound: Vec<String>,
}

impl Walk {
    /// Does something to a table as somebody may who has the database. Answers false where the database itself refuses.
    async fn tries(&self, sql: &str) -> bool {
        let first = match self.on {
            Kind::Sqlite => "PRAGMA foreign_keys = OFF",
            Kind::Postgres => "SET session_replication_role = replica",
        };
        self.house.raw(&format!("{first}; {sql};")).await.is_ok()
    }

    async fn must(&self, sql: &str) {
        assert!(self.tries(sql).await, "{sql}");
    }

    /// Looks whether it is found, and puts the table back.
    async fn judge(&mut self, table: &str, what: String) {
        let check = self.house.ledger.verify_audit().await.unwrap();
        if check.is_sound() {
            self.unfound.push(what);
        }
        self.must(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM keep_{table}")).await;
    }

    async fn change(&mut self, column: &Column) {
        let (table, named) = (&column.of, &column.named);
        // Where rows without a value would have the same one then, they stay without.
        let mut values = vec![column.changed(self.on), format!("{named} || '~'")];
        values.extend(ALLOWED.map(str::to_owned));
        for value in values {
            if self.tries(&format!("UPDATE {table} SET {named} = {value}")).await {
                return self.judge(table, format!("{table}.{named}")).await;
            }
        }
        self.unfound.push(format!("{table}.{named} takes no value of the test"));
    }

    async fn take_out(&mut self, table: &str) {
        self.must(&format!("DELETE FROM {table}")).await;
        self.judge(table, format!("{table}-")).await;
    }

    /// A copy of a row under another name; beside one of the same run or job, where its name has more than that.
    async fn put_in(&mut self, table: &str, columns: &[Column]) {
        let names: Vec<&str> = columns.iter().map(|column| column.named.as_str()).collect();
        let owners = ["run", "partner", "job"];
        let own: Vec<&Column> = columns.iter().filter(|column| column.key > 0).collect();
        let more = own.iter().any(|column| !owners.contains(&column.named.as_str()));
        for all_texts in [false, true] {
            let value = |column: &Column| {
                let is_owner = owners.contains(&column.named.as_str());
                match (column.named.as_str(), own.len()) {
                    ("run", 1) if table != "runs" => format!("(SELECT MIN(run) FROM runs WHERE run NOT IN (SELECT run FROM keep_{table}))"),
                    _ if column.key > 0 && !(is_owner && more) => column.changed(self.on),
                    _ if all_texts && column.is_text() && !is_owner => column.changed(self.on),
                    _ => column.named.clone(),
                }
            };
            let values: Vec<String> = columns.iter().map(value).collect();
            let first = names[0];
            let sql = format!(
                "INSERT INTO {table} ({}) SELECT {} FROM keep_{table} WHERE {first} = (SELECT MIN({first}) FROM keep_{table}) LIMIT 1",
                names.join(", "),
                values.join(", ")
            );
            if self.tries(&sql).await {
                return self.judge(table, format!("{table}+")).await;
            }
        }
        self.unfound.push(format!("{table}+ takes no row of the test"));
    }
}

async fn whatever_is_changed_is_found_or_told_why_not(on: Kind) {
    let house = lived_in(on).await;
    let all = columns(&house).await;
    let mut tables: Vec<String> = all.iter().map(|column| column.of.clone()).collect();
    tables.dedup();
    assert!(tables.len() > 40, "{tables:?}");
    let mut walk = Walk { house, on, unfound: Vec::new() };
    if on == Kind::Sqlite {
        for trigger in ["audit_is_not_changed", "audit_is_not_removed", "run_events_are_not_changed", "run_events_are_not_removed"] {
            walk.must(&format!("DROP TRIGGER {trigger}")).await;
        }
    }
    for table in tables.iter().filter(|table| !excused(table)) {
        walk.must(&format!("CREATE TABLE keep_{table} AS SELECT * FROM {table}")).await;
        let columns: Vec<Column> = all.iter().filter(|column| column.of == *table).cloned().collect();
        let (rows,): (i64,) =
            query(format!("SELECT CAST(COUNT(*) AS BIGINT) FROM {table}").leak()).fetch_one(&walk.house.ledger.store).await.unwrap();
        if rows == 0 {
            walk.unfound.push(format!("{table} has no row in this test: let something happen that writes one"));
            continue;
        }
        for column in columns.iter().filter(|column| !excused(&format!("{table}.{}", column.named))) {
            walk.change(column).await;
        }
        if !excused(&format!("{table}-")) {
            walk.take_out(table).await;
        }
        if !excused(&format!("{table}+")) {
            walk.put_in(table, &columns).await;
        }
    }
    assert_eq!(walk.unfound, Vec::<String>::new(), "neither found nor excused");
    let check = walk.house.ledger.verify_audit().await.unwrap();
    assert!(check.is_sound(), "everything was put back: {check:?}");
}

/// Each line of the list is one of the page, with its reason, and the page has no other.
#[test]
fn the_page_says_what_is_not_covered() {
    let page = include_str!("../../../../../SECURITY.md");
    let (_, rows) = page.split_once("| rows | why no digest is of them |\n|---|---|\n").expect("the page has the list");
    let told: Vec<&str> = rows.lines().take_while(|line| line.starts_with('|')).collect();
    let listed: Vec<String> = NOT_COVERED.iter().map(|(what, why)| format!("| `{what}` | {why} |")).collect();
    assert_eq!(told, listed);
}
