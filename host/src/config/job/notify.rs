//! Who is told of a job's runs, as it is declared.

use super::Reader;
use crate::config::connections::is_address;
use crate::config::written;
use crate::model::ids::PartnerName;
use crate::model::job::{Notify, Told};

/// Most addresses. A list of readers is better kept where their mail is.
const ADDRESSES_MAX: usize = 20;

/// What people are told where the job does not say: what waits for them.
const TOLD_DEFAULT: [Told; 3] = [Told::Held, Told::Failed, Told::Overdue];

impl Reader<'_> {
    pub(super) fn notify(&mut self, written: &written::Notify, partner: Option<&PartnerName>) -> Option<Notify> {
        let connection = self.connection(&written.connection, partner);
        let place = connection.as_ref().and_then(|name| self.place(name, partner));
        if place.is_some_and(|place| !place.tells_people()) {
            self.wrong(written.connection.span(), "nobody is told anything by this kind of connection", "name one of kind = \"smtp\"");
        }
        for address in &written.to {
            if !is_address(address.get_ref()) {
                self.wrong(
                    address.span(),
                    format!("{:?} is no address of a mailbox", address.get_ref()),
                    "write, for instance, payroll@example.org",
                );
            }
        }
        if !(1..=ADDRESSES_MAX).contains(&written.to.len()) {
            let what = format!("{} addresses are told", written.to.len());
            self.wrong(written.connection.span(), what, format!("write 1 to {ADDRESSES_MAX} addresses after to"));
        }
        let mut on = Vec::new();
        for word in written.on.iter().flatten() {
            match word.get_ref().parse() {
                Ok(told) if !on.contains(&told) => on.push(told),
                Ok(_) => self.wrong(word.span(), "this stands here twice", "write each once"),
                Err(_) => {
                    let all = Told::ALL.map(Told::as_str).join(", ");
                    self.wrong(
                        word.span(),
                        format!("{:?} is nothing that people are told", word.get_ref()),
                        format!("write some of {all}"),
                    );
                }
            }
        }
        if written.on.is_none() {
            on = TOLD_DEFAULT.to_vec();
        }
        let to = written.to.iter().map(|address| address.get_ref().clone()).collect();
        Some(Notify { connection: connection?, to, on })
    }
}
