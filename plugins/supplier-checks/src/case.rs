//! A supplier case as `case.schema.json` describes it. It knows no rules.

use bailiwick_sdk::{Date, Decimal, Money};
use serde::Deserialize;

/// A supplier to be taken on, changed or looked at again.
#[derive(Debug, Clone, Deserialize)]
pub struct Case {
    /// What sort of case.
    pub kind: CaseKind,
    /// The supplier's own number among the known suppliers.
    pub supplier_id: Option<String>,
    /// Its name.
    pub name: String,
    /// Names that it trades under.
    #[serde(default)]
    pub trading_names: Vec<String>,
    /// Its legal form.
    pub legal_form: LegalForm,
    /// Its company number.
    pub company_number: Option<String>,
    /// Its registration for VAT.
    pub vat: Vat,
    /// Its unique taxpayer reference.
    pub utr: Option<String>,
    /// Where it is.
    pub address: Address,
    /// Where it wants to be paid.
    pub bank: Option<Bank>,
    /// What its bank said of the name of the account.
    pub payee_check: Option<PayeeCheck>,
    /// What was done about a request to change bank details.
    pub bank_change: Option<BankChange>,
    /// People and companies behind it.
    #[serde(default)]
    pub connected_persons: Vec<ConnectedPerson>,
    /// What was found about exclusion grounds; none where nobody looked.
    pub exclusions: Option<Exclusions>,
    /// Its turnover of a year.
    pub annual_turnover: Option<Money>,
    /// Whether it has published a modern slavery statement.
    pub modern_slavery_statement: Option<bool>,
    /// Its place in the Construction Industry Scheme.
    pub construction: Option<Construction>,
    /// Whether a person works through it.
    pub off_payroll: Option<OffPayroll>,
}

/// What sort of case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseKind {
    /// A supplier that is not known yet.
    New,
    /// A known supplier that wants to be paid elsewhere.
    BankChange,
    /// A known supplier that is looked at again.
    Review,
}

/// Legal form of a supplier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LegalForm {
    /// A company registered in the United Kingdom.
    Company,
    /// A limited liability partnership.
    LimitedLiabilityPartnership,
    /// Another partnership.
    Partnership,
    /// One person.
    SoleTrader,
    /// A charity.
    Charity,
    /// A public body.
    PublicBody,
    /// A company registered elsewhere.
    OverseasCompany,
    /// Something else.
    Other,
}

/// Registration for VAT.
#[derive(Debug, Clone, Deserialize)]
pub struct Vat {
    /// What the supplier says.
    pub status: VatStatus,
    /// Its number.
    pub number: Option<String>,
}

/// What a supplier says of its registration for VAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VatStatus {
    /// It is registered, so it has a number.
    Registered,
    /// It is not registered, so it has none.
    NotRegistered,
    /// It did not say.
    Unknown,
}

/// Where a supplier is.
#[derive(Debug, Clone, Deserialize)]
pub struct Address {
    /// Its postcode.
    pub postcode: Option<String>,
    /// Two letters.
    pub country: String,
}

/// A bank account.
#[derive(Debug, Clone, Deserialize)]
pub struct Bank {
    /// Whose it is.
    pub account_name: String,
    /// British sort code.
    pub sort_code: Option<String>,
    /// British account number.
    pub account_number: Option<String>,
    /// International number.
    pub iban: Option<String>,
}

/// An answer of the service that confirms payees.
#[derive(Debug, Clone, Deserialize)]
pub struct PayeeCheck {
    /// Its code.
    pub code: String,
    /// The name on the account, where the bank gave it.
    pub returned_name: Option<String>,
    /// When it answered.
    pub checked_on: Date,
}

/// A request to be paid elsewhere.
#[derive(Debug, Clone, Deserialize)]
pub struct BankChange {
    /// When it came.
    pub requested_on: Date,
    /// The call that asked whether it is genuine.
    pub call_back: Option<CallBack>,
    /// Who approved it.
    #[serde(default)]
    pub approved_by: Vec<String>,
}

/// A call to the supplier.
#[derive(Debug, Clone, Deserialize)]
pub struct CallBack {
    /// When.
    pub called_on: Date,
    /// Whether the number was held before the request came.
    pub number_held_before: bool,
    /// What the supplier said.
    pub answer: CallAnswer,
}

/// What a supplier said when called back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallAnswer {
    /// The request is genuine.
    Confirmed,
    /// The supplier asked for nothing.
    Denied,
    /// Nobody answered.
    NotReached,
}

/// A person or company behind a supplier.
#[derive(Debug, Clone, Deserialize)]
pub struct ConnectedPerson {
    /// Name.
    pub name: String,
    /// How much of the supplier they own.
    pub share_percent: Option<Decimal>,
    /// Date of birth.
    pub born: Option<Date>,
}

/// What was found about exclusion grounds.
#[derive(Debug, Clone, Deserialize)]
pub struct Exclusions {
    /// Who was looked at.
    pub assessed: Vec<Subject>,
    /// What was found.
    pub grounds: Vec<Ground>,
}

/// Whom an exclusion ground can concern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The supplier itself.
    Supplier,
    /// A person connected with it.
    ConnectedPerson,
    /// A person on whom it relies to meet the conditions.
    AssociatedPerson,
    /// A sub-contractor.
    SubContractor,
}

/// An exclusion ground.
#[derive(Debug, Clone, Deserialize)]
pub struct Ground {
    /// Its name.
    pub ground: String,
    /// Mandatory or discretionary.
    pub kind: GroundKind,
    /// When it happened.
    pub happened_on: Option<Date>,
    /// Whether it goes on or is likely to occur again.
    #[serde(default)]
    pub likely_to_recur: Recurrence,
    /// Whether the supplier is on the debarment list for it.
    #[serde(default)]
    pub debarred: bool,
}

/// The two lists of grounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroundKind {
    /// Schedule 6 of the Procurement Act 2023.
    Mandatory,
    /// Schedule 7.
    Discretionary,
}

/// Whether a ground goes on or is likely to occur again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recurrence {
    /// Yes.
    Yes,
    /// No: the supplier has put it right.
    No,
    /// Nobody has judged it.
    #[default]
    NotAssessed,
}

/// Place in the Construction Industry Scheme.
#[derive(Debug, Clone, Deserialize)]
pub struct Construction {
    /// Whether the work is construction.
    pub applies: bool,
    /// HMRC's answer to the verification.
    pub verification_number: Option<String>,
    /// What is to be deducted, in per cent.
    pub deduction_percent: Option<String>,
}

/// Work of a person through an intermediary.
#[derive(Debug, Clone, Deserialize)]
pub struct OffPayroll {
    /// Whether that is the case.
    pub personal_service: bool,
    /// What was determined.
    pub determination: Option<Determination>,
}

/// Status of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Determination {
    /// As if employed: tax is deducted.
    Inside,
    /// In business on their own account.
    Outside,
}
