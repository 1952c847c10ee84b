//! What can be done at a partner, and who may: roles of people, and scopes of tokens, which are actions by their names.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// Something that can be done at a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Looks at jobs, runs, totals, releases and connections; personal columns are masked.
    Read,
    /// Sees personal columns as they are.
    SeePersonal,
    /// Starts, repeats, pauses, resumes and cancels runs and jobs.
    Run,
    /// Asks rule sets for decisions.
    Decide,
    /// Assigns, dismisses, corrects and resubmits rejects; settles and resends deliveries.
    Correct,
    /// Hands in releases of plugins.
    Upload,
    /// Approves, refuses, activates and rolls back releases; approves protected changes; lets held runs go on.
    Approve,
    /// Changes connections, their credentials, and what a folder of configuration declares.
    Configure,
    /// Changes people, their roles, tokens and signing keys.
    ManagePeople,
    /// Reads the audit trail.
    ReadAudit,
}

impl Action {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 10] = [
        Self::Read,
        Self::SeePersonal,
        Self::Run,
        Self::Decide,
        Self::Correct,
        Self::Upload,
        Self::Approve,
        Self::Configure,
        Self::ManagePeople,
        Self::ReadAudit,
    ];

    /// As a token's scopes have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::SeePersonal => "see-personal",
            Self::Run => "run",
            Self::Decide => "decide",
            Self::Correct => "correct",
            Self::Upload => "upload",
            Self::Approve => "approve",
            Self::Configure => "configure",
            Self::ManagePeople => "manage-people",
            Self::ReadAudit => "read-audit",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Action {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|action| action.name() == text).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|action| action.name()).collect();
            format!("{text:?} is no scope: write one of {}", known.join(", "))
        })
    }
}

/// What a person is at a partner. One person may have several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks.
    Viewer,
    /// Runs jobs and puts rejects right.
    Operator,
    /// Decides what a plugin may do.
    Approver,
    /// Keeps connections, people and tokens.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Approver, Self::Admin];

    /// As it is written and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Admin => "admin",
        }
    }

    /// What it allows.
    #[must_use]
    pub fn allows(self) -> BTreeSet<Action> {
        let actions: &[Action] = match self {
            Self::Viewer => &[Action::Read],
            Self::Operator => &[Action::Read, Action::SeePersonal, Action::Run, Action::Decide, Action::Correct, Action::Upload],
            Self::Approver => &[Action::Read, Action::SeePersonal, Action::Approve, Action::ReadAudit],
            Self::Admin => &[Action::Read, Action::Upload, Action::Configure, Action::ManagePeople, Action::ReadAudit],
        };
        actions.iter().copied().collect()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or_else(|| format!("{text:?} is no role: write viewer, operator, approver or admin"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each role and what it allows, for a person to read.
    const MATRIX: &str = "
                   viewer operator approver admin
    read           yes    yes      yes      yes
    see-personal   -      yes      yes      -
    run            -      yes      -        -
    decide         -      yes      -        -
    correct        -      yes      -        -
    upload         -      yes      -        yes
    approve        -      -        yes      -
    configure      -      -        -        yes
    manage-people  -      -        -        yes
    read-audit     -      -        yes      yes
    ";

    #[test]
    fn each_role_allows_what_the_matrix_says() {
        let mut rows = MATRIX.lines().filter(|line| !line.trim().is_empty());
        let roles: Vec<Role> = rows.next().unwrap().split_whitespace().map(|role| role.parse().unwrap()).collect();
        assert_eq!(roles, Role::ALL);
        let mut actions = Vec::new();
        for row in rows {
            let mut cells = row.split_whitespace();
            let action: Action = cells.next().unwrap().parse().unwrap();
            for (role, cell) in roles.iter().zip(cells) {
                assert_eq!(role.allows().contains(&action), cell == "yes", "{role} {action}");
            }
            actions.push(action);
        }
        assert_eq!(actions, Action::ALL);
    }

    #[test]
    fn a_role_alone_neither_hands_in_and_approves_nor_appoints_itself_to_see() {
        for role in Role::ALL {
            let allows = role.allows();
            assert!(!(allows.contains(&Action::Upload) && allows.contains(&Action::Approve)), "{role}");
            assert!(!(allows.contains(&Action::ManagePeople) && allows.contains(&Action::SeePersonal)), "{role}");
        }
        assert!("king".parse::<Role>().is_err() && "fly".parse::<Action>().is_err());
    }
}
