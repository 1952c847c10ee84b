//! Commands by which a person puts right what a run left: deliveries and rejects. Each asks for a reason, which the audit trail keeps.

mod deliveries;
mod rejects;
mod retain;

pub(super) use deliveries::{DeliveryCommand, ResendOptions, delivery, resend, say_amends};
pub(super) use rejects::{RejectsOptions, ResubmitOptions, rejects, resubmit, say_quarantined};
pub(super) use retain::{RetainOptions, retain};
