//! A claim as the hub hands it over: already valid against `case.schema.json`.
//!
//! Only what the rules look at is read. Names and registration marks never enter the plugin's memory as fields.

use bailiwick_sdk::{Date, Money};
use serde::{Deserialize, Deserializer};

/// A claim, or a request for advice.
#[derive(Debug, Clone, Deserialize)]
pub struct Claim {
    /// The policy it falls under.
    pub class: Class,
    /// What the whole claim is expected to cost; nothing while no reserve is set.
    pub loss: Money,
    /// The day of the accident; absent for advice only.
    pub accident_date: Option<Date>,
    /// The day on which it came in.
    pub received_date: Date,
    /// What matters of the claimant.
    #[serde(default)]
    pub claimant: Claimant,
    /// Present when somebody was hurt.
    pub injury: Option<Injury>,
    /// What RIDDOR calls it, if anything.
    pub riddor: Option<Riddor>,
    /// Whether somebody complained about conduct or driving.
    #[serde(default)]
    pub conduct_complaint: bool,
    /// Our vehicle.
    #[serde(default)]
    pub vehicle: Vehicle,
    /// Whether the claimant was on foot, on a cycle and so on.
    #[serde(default)]
    pub vulnerable_road_user: bool,
    /// What inspected equipment belongs to.
    pub equipment: Option<Equipment>,
    /// How far it has come in the claims portal.
    #[serde(default)]
    pub portal: PortalState,
    /// What the fund has paid for the class in the policy year before this claim.
    pub paid_this_policy_year: Option<Money>,
    /// What is planned, for advice.
    pub change: Option<Change>,
}

/// The classes of insurance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// One of our own people was hurt or fell ill.
    EmployersLiability,
    /// A member of the public claims.
    PublicLiability,
    /// Damage to our own vehicle.
    MotorOwnDamage,
    /// A claim of somebody whom our vehicle met.
    MotorThirdParty,
    /// Damage to our property.
    Property,
    /// Loss by dishonesty.
    Fidelity,
    /// Inspected equipment: lifts, boilers, vehicle hoists.
    Engineering,
    /// No claim: a change that may need insurance.
    Advice,
}

impl Class {
    /// Its name in tables and in the case.
    pub fn name(self) -> &'static str {
        match self {
            Self::EmployersLiability => "employers-liability",
            Self::PublicLiability => "public-liability",
            Self::MotorOwnDamage => "motor-own-damage",
            Self::MotorThirdParty => "motor-third-party",
            Self::Property => "property",
            Self::Fidelity => "fidelity",
            Self::Engineering => "engineering",
            Self::Advice => "advice",
        }
    }
}

/// What matters of a claimant.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Claimant {
    /// Under 18 at the accident.
    #[serde(default)]
    pub child: bool,
    /// Lacks capacity to conduct the claim.
    #[serde(default)]
    pub protected_party: bool,
}

/// An injury.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Injury {
    /// What was hurt.
    pub kind: InjuryKind,
    /// Damages for the injury alone.
    pub damages: Option<Money>,
    /// Months until recovery.
    #[serde(default, deserialize_with = "whole_number")]
    pub months: Option<u32>,
    /// With minor psychological injury.
    #[serde(default)]
    pub psychological: bool,
}

/// What was hurt, as far as any rule tells injuries apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum InjuryKind {
    Minor,
    Fracture,
    Whiplash,
    Psychological,
    Disease,
    Mesothelioma,
    Amputation,
    Spinal,
    Brain,
    Death,
    Other,
}

impl InjuryKind {
    /// Its name in tables and in the case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minor => "minor",
            Self::Fracture => "fracture",
            Self::Whiplash => "whiplash",
            Self::Psychological => "psychological",
            Self::Disease => "disease",
            Self::Mesothelioma => "mesothelioma",
            Self::Amputation => "amputation",
            Self::Spinal => "spinal",
            Self::Brain => "brain",
            Self::Death => "death",
            Self::Other => "other",
        }
    }
}

/// Categories of RIDDOR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Riddor {
    Death,
    SpecifiedInjury,
    DangerousOccurrence,
    OverSevenDays,
    OverThreeDays,
}

/// Our vehicle.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Vehicle {
    /// Whether our driver was at fault.
    #[serde(default)]
    pub driver_at_fault: bool,
}

/// What inspected equipment belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Equipment {
    Building,
    Vehicle,
}

/// How far a claim has come in its portal.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct PortalState {
    /// The day of the acknowledgement.
    pub acknowledged_date: Option<Date>,
    /// The day on which liability was admitted.
    pub admission_date: Option<Date>,
    /// Whether it has left; it cannot come back.
    #[serde(default)]
    pub exited: bool,
}

/// What is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Change {
    Partnership,
    Event,
    Operation,
    BusinessCase,
    PropertyLease,
    VehicleHire,
    Other,
}

/// JSON Schema calls 7.0 an integer, and so must we. The schema keeps it within 0 to 600.
fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Whole(u32),
        Pointed(f64),
    }
    Ok(Option::<Number>::deserialize(deserializer)?.map(|number| match number {
        Number::Whole(number) => number,
        Number::Pointed(number) => number as u32,
    }))
}
