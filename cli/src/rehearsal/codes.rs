//! Invented codes: what staff put into the pools of a campaign before it opens, as many as the campaign may give. The real ones are never
//! taken to a rehearsal: whoever reads its store could use them.

use function::serve::chain;
use machine::world::{Action, Admin, AdminOutcome, CodeLines};
use machine::{Definition, Millis};
use store::Store;
use store::codes::Codes;

use crate::failure::Failure;

/// Who puts them there.
const BY: &str = "rehearsal";

/// Fills each pool of a definition's rewards.
pub async fn invent(
    store: &dyn Store,
    definition: &Definition,
    now: Millis,
) -> Result<(), Failure> {
    for reward in &definition.rewards {
        let (Some(pool), Some(stock)) = (&reward.pool, reward.stock) else {
            continue;
        };
        let mut codes = Codes::default();
        for number in 1..=stock {
            codes.push(format!("REHEARSED-{number:08}").as_bytes());
        }
        let put = Action::PutCodes {
            pool: pool.name.clone(),
            // These are the store's to say.
            version: "".into(),
            codes: 0,
            lines: CodeLines::default(),
            sha256: [0; 32],
        };
        let admin = Admin {
            tenant: definition.tenant.clone(),
            by: BY.into(),
            at: now,
            key: None,
            action: put,
            why: None,
        };
        let outcome = store.put_codes(Box::new(admin), codes).await;
        let outcome = outcome.map_err(|error| Failure::unreachable("store", chain(&error)))?;
        if let AdminOutcome::Refused(no) = outcome {
            let why = format!("the pool `{}` can't be filled: {no}", pool.name);
            return Err(Failure::check("codes", why));
        }
    }
    Ok(())
}
