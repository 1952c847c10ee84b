//! A person added, with a password that the hub makes up and shows once; or one whom the hub knows already, given roles here.
//!
//! It must not know how passwords are kept.

use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::html;
use secrecy::{ExposeSecret as _, SecretString};

use super::about;
use crate::access::{Action, Role, hashed};
use crate::console::look::{Check, Faults, Field, Summary, Weight, button, form, warning, words};
use crate::console::visit::{Answers, At, Fault, Posted};
use crate::ledger::{NewPerson, NewRole, Scope};
use crate::model::ids::{Digest, PersonName};
use crate::run::Hub;

/// Most characters of the name by which others know somebody.
const NAME_CHARACTERS_MAX: u32 = 100;

/// Groups of the password that is made up, each of five hexadecimal digits: 120 bits that nobody chose.
const PASSWORD_GROUPS: usize = 6;

pub(super) async fn blank(at: At) -> Result<Response, Fault> {
    at.may(Action::ManagePeople)?;
    Ok(form_page(&at, &Answers::default(), &Faults::new()))
}

fn form_page(at: &At, answers: &Answers, faults: &Faults) -> Response {
    at.page("Add a person").section("people").crumb(at.href("people"), "People").faults(faults).body(form(
        &at.href("people/new"),
        at.csrf(),
        html! {
            (Field::new("person", "Signs in as").hint("Small letters, digits and . _ - + @, such as jane.smith or an email address.")
                .value(answers.text("person")).class("middle").complete("off").limit(100).faults(faults).text())
            (Field::new("shown", "Name").hint("As others know them. Leave it empty for somebody who has a role at another partner already.")
                .value(answers.text("shown")).complete("off").limit(NAME_CHARACTERS_MAX).faults(faults).text())
            (role_choices(&answers.all("role"), faults))
            div class="buttons" { (button(Weight::First, "Continue")) a class="plain" href=(at.href("people")) { "Cancel" } }
        },
    ))
}

/// The roles to choose from.
pub(super) fn role_choices(chosen: &[&str], faults: &Faults) -> maud::Markup {
    let options: Vec<(String, Role)> = Role::ALL.iter().map(|role| (words::spaced(role.name()), *role)).collect();
    let options: Vec<(&str, &str, Option<&str>)> =
        options.iter().map(|(words, role)| (role.name(), words.as_str(), Some(about(*role)))).collect();
    Field::new("role", "Roles here").faults(faults).checkboxes(&options, chosen)
}

/// The roles that were chosen, by their names.
pub(super) fn chosen_roles<'a>(answers: &'a Answers, faults: &mut Faults) -> Vec<&'a str> {
    let chosen = answers.all("role");
    if chosen.iter().any(|role| role.parse::<Role>().is_err()) {
        faults.add("role", "Choose from the list.");
    }
    chosen
}

pub(super) async fn add(State(hub): State<Hub>, at: At, Posted(answers): Posted) -> Result<Response, Fault> {
    at.may(Action::ManagePeople)?;
    let mut faults = Faults::new();
    let roles = chosen_roles(&answers, &mut faults);
    if roles.is_empty() {
        faults.add("role", "Choose at least one role.");
    }
    let Ok(name) = PersonName::typed(answers.text("person")) else {
        faults.add("person", "Write 1 to 100 small letters, digits and . _ - + @, beginning and ending with a letter or a digit.");
        return Ok(form_page(&at, &answers, &faults));
    };
    let known = hub.ledger().people(Scope::Hub).await?.into_iter().any(|person| person.name == name);
    if !known && answers.text("shown").is_empty() {
        faults.add("shown", "Nobody signs in under that name yet: write the name by which others know them.");
    }
    if !faults.is_empty() {
        return Ok(form_page(&at, &answers, &faults));
    }
    if !answers.confirmed() {
        return Ok(check_page(&at, &answers, (&name, known)));
    }
    let by = at.by(&hub);
    let mut made = None;
    if !known {
        let password = made_up();
        let hash = hashed(&name, password.clone()).await.map_err(|refused| Fault::conflict(refused.to_string()))?;
        let new = NewPerson {
            name: name.clone(),
            display_name: answers.text("shown").to_owned(),
            email: None,
            password: Some(hash),
            hub_operator: false,
        };
        hub.ledger().add_person(&new, &by).await?;
        made = Some(password);
    }
    for role in roles {
        hub.ledger().grant_role(NewRole { partner: at.caller.partner(), person: &name, role }, &by).await?;
    }
    let href = at.href(format_args!("people/{}", words::encoded(name.as_str())));
    match made {
        Some(password) => Ok(made_page(&at, (&name, &href), &password)),
        None => Ok(Redirect::to(&format!("{href}?done=roles")).into_response()),
    }
}

fn check_page(at: &At, answers: &Answers, (name, known): (&PersonName, bool)) -> Response {
    let roles = answers.all("role");
    let mut fields = vec![("person", name.as_str()), ("shown", answers.text("shown"))];
    fields.extend(roles.iter().map(|role| ("role", *role)));
    let said = roles.iter().map(|role| words::spaced(role)).collect::<Vec<_>>().join(", ");
    let shown = Some(answers.text("shown")).filter(|_| !known);
    at.page("Check before you add the person").section("people").crumb(at.href("people"), "People").body(Check {
        action: &at.href("people/new"),
        csrf: at.csrf(),
        answers: Summary::new().row("Signs in as", name.to_string()).maybe("Name", shown).row("Roles here", said),
        warning: known.then_some("The hub knows this name already: they keep their password, and get these roles here."),
        fields: &fields,
        button: (Weight::First, "Add the person"),
        back: &at.href("people"),
    })
}

/// The one page that ever shows the password.
fn made_page(at: &At, (name, href): (&PersonName, &str), password: &SecretString) -> Response {
    at.page("The person is added").section("people").crumb(at.href("people"), "People").body(html! {
        (warning("Copy the password now. It is shown this once, and nobody can show it again."))
        p { label for="password" { "Password of " (name) } }
        p { input id="password" class="mono" readonly value=(password.expose_secret()) autocomplete="off"; }
        p { "Give it to them in person or by telephone, not together with their name." }
        p { a href=(href) { "I have copied it: go to the person" } }
    })
}

fn made_up() -> SecretString {
    let mut chance = [0_u8; 32];
    getrandom::fill(&mut chance).expect("the system gives random numbers");
    let digits = Digest::new(chance).to_string();
    let groups: Vec<&str> = (0..PASSWORD_GROUPS).map(|group| &digits[group * 5..group * 5 + 5]).collect();
    SecretString::from(groups.join("-"))
}
