//! Every code a check can report, with its meaning: the one table behind the diagnostics and their explanations.
//!
//! E00xx the document, E01xx scalars, E02xx names and references, E03xx expressions, E04xx window and time, E05xx rewards,
//! odds and budget, E06xx the machine, E07xx an activity's sections, E08xx the tenant, E09xx files, E10xx what campaigns tell each
//! other, E11xx copies of an earlier edition, E12xx the rules that users read, E13xx what the law asks,
//! E15xx packs and tasks, E16xx codes that are handed out and handed in, E17xx draws, E18xx draws from a list of entries, E19xx facts,
//! E20xx posters; W and N likewise.
//! A code keeps its meaning for good: tools and people look for it. Each has a page, `explain/E0501.md`, without which
//! this does not compile: [`crate::explain`] says how it is written.

macro_rules! codes {
    ($($name:ident = $code:literal, $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $name: &str = $code;)*

        /// All codes with their meanings, in the order of this file.
        pub const TABLE: &[(&str, &str)] = &[$(($code, $meaning)),*];

        /// The page of each code, in the same order: what [`crate::explain`] reads.
        pub(crate) const PAGES: &[(&str, &str)] =
            &[$(($code, include_str!(concat!("explain/", $code, ".md")))),*];
    };
}

codes! {
    // E00xx: the document.
    SYNTAX = "E0001", "The file is not YAML.";
    EMPTY = "E0002", "The file, or the value of a key, is empty.";
    TOO_BIG = "E0003", "The file is larger, deeper or has more values than a campaign needs.";
    DUPLICATE_KEY = "E0004", "A key stands twice in the same map.";
    NOT_SUPPORTED = "E0005", "A feature of YAML that campaign files do without: anchors, aliases, merge keys, tags, several documents.";
    KEY_NOT_PLAIN = "E0006", "A map's key is a list or a map.";
    UNKNOWN_KEY = "E0007", "A key that means nothing here.";
    MISSING_KEY = "E0008", "A key that must be there is missing.";
    WRONG_SHAPE = "E0009", "A list, a map or a single value stands where another of the three is expected.";

    // E01xx: scalars.
    NOT_INT = "E0101", "A whole number is expected.";
    INT_RANGE = "E0102", "A number is too small or too large.";
    NOT_BOOL = "E0103", "`true` or `false` is expected.";
    NOT_DECIMAL = "E0104", "An amount of money is not a decimal number.";
    DECIMAL_DIGITS = "E0105", "An amount has more decimals than its currency.";
    NEGATIVE = "E0106", "An amount is negative.";
    NOT_DURATION = "E0107", "A length of time can't be read.";
    NOT_DATETIME = "E0108", "A point in time can't be read.";
    NOT_DATE = "E0109", "A date can't be read.";
    NOT_TIMEZONE = "E0110", "A timezone is not in the IANA database.";
    NOT_CLOCK = "E0111", "A time of day can't be read.";
    NOT_ID = "E0112", "An id has other characters than `a-z`, `0-9` and `-`, or is longer than 64.";
    NOT_ONE_OF = "E0113", "A word is not one of those that are possible here.";
    NOT_ODDS = "E0114", "Odds can't be read.";
    ODDS_RANGE = "E0115", "Odds are negative, above one, or finer than twelve decimals.";
    LANGUAGE = "E0116", "A text is given in a language that the tenant does not have.";
    TOO_LONG = "E0117", "A text is longer than it may be.";
    LANGUAGE_MISSING = "W0101", "A text is missing in one of the tenant's languages.";

    // E02xx: names and references.
    UNKNOWN_REWARD = "E0201", "A reward that the campaign does not have.";
    UNKNOWN_STATE = "E0202", "A state that the machine does not have.";
    UNKNOWN_BALANCE = "E0203", "Something to spend that the campaign does not have.";
    UNKNOWN_LIST = "E0204", "A list that the tenant does not have.";
    UNKNOWN_VAR = "E0205", "A variable that `context` does not declare.";
    UNKNOWN_EVENT = "E0206", "An event that the campaign does not have.";
    UNKNOWN_ACTION = "E0207", "An action that does not exist.";
    UNKNOWN_BLOCK = "E0208", "A block that the campaign does not have.";
    UNKNOWN_OUTCOME = "E0209", "An outcome that the actions before it do not raise.";
    NAME_TAKEN = "E0210", "Two things of one campaign have the same name.";
    UNKNOWN_ACTIVITY = "E0211", "An activity that this program does not have.";
    DUPLICATE_RULE = "E0212", "Two promises have the same rule id.";
    UNKNOWN_CONNECTOR = "E0213", "A connector that the tenant does not have.";
    TOO_MANY = "E0214", "More of something than a campaign may have.";
    NOT_A_NAME = "E0215", "A name that expressions could not read.";
    UNKNOWN_RULE = "E0216", "A rule of giving that the campaign does not have.";
    UNUSED_CODE = "W0201", "A message for a code that nothing rejects with.";
    UNUSED_REWARD = "W0202", "A reward that nothing gives.";
    UNUSED_BLOCK = "W0203", "A section that the machine never uses.";
    UNUSED_EVENT = "W0204", "An event that no state takes.";
    NO_MESSAGE = "W0205", "A rejection without a message for users.";

    // E03xx: expressions.
    EXPR_SYNTAX = "E0301", "An expression can't be read.";
    EXPR_TOO_BIG = "E0302", "An expression is too long or too deep.";
    EXPR_FEATURE = "E0303", "A feature of CEL that expressions here do without.";
    EXPR_NAME = "E0304", "A name in an expression is unknown.";
    EXPR_FUNCTION = "E0305", "A function in an expression is unknown.";
    EXPR_ARGS = "E0306", "A function is called with the wrong arguments.";
    EXPR_TYPES = "E0307", "The two sides of an operator do not go together.";
    EXPR_RESULT = "E0308", "An expression gives another type than is needed.";
    EXPR_OVERFLOW = "E0309", "A constant part of an expression grows beyond 64 bits, or divides by zero.";
    EXPR_EVENT = "E0310", "`event` is used where no event is.";

    // E04xx: window and time.
    TIME_GAP = "W0401", "A point in time does not exist in the timezone, because clocks jump over it.";
    TIME_TWICE = "W0402", "A point in time happens twice in the timezone, because clocks go back.";

    WINDOW_REVERSED = "E0401", "The window ends before it begins, or claims end before play does.";
    WINDOW_TOO_LONG = "E0402", "The window is longer than a campaign may run.";
    CLOSES_AT_MIDNIGHT = "N0401", "The window closes at midnight: the day before is the last one.";
    SKIP_OUTSIDE = "W0403", "A skipped day lies outside the window.";

    // E05xx: rewards, odds and budget.
    ODDS_TOO_HIGH = "E0501", "The odds add up to more than 100%.";
    ODDS_NOT_EXACT = "E0502", "The odds have no common whole that a draw could use exactly.";
    TWO_RESTS = "E0503", "Two rewards take the rest of the odds.";
    ZERO_STOCK = "E0504", "A reward with no units at all.";
    GONE_CYCLE = "E0505", "Rewards stand in for each other in a circle.";
    WHEN_SPENT_COSTS = "E0506", "What is given when the budget is spent costs something itself.";
    ZERO_ODDS = "E0507", "A reward that no draw can ever give.";
    REWARD_KIND = "E0508", "A reward lacks its kind, or has figures that its kind does not go with.";
    GIVES_NOTHING = "E0509", "The reward that gives nothing stands where something must be given.";
    NO_WHEEL = "E0510", "A section about draws, and no reward has odds.";
    NEVER_REACHED = "E0511", "A figure that can never be reached.";
    RELEASE_NO_STOCK = "E0512", "Units are set free day by day of a reward whose stock has no limit.";
    ODDS_LEFT = "W0501", "The odds add up to less than 100%, and no reward takes the rest.";
    ODDS_BARE = "N0501", "Odds are written as a bare number: a share of 1.";
    BUDGET_NO_COST = "W0502", "There is a budget, and a reward that costs nothing against it.";
    BUDGET_TOO_SMALL = "W0503", "A budget that can't pay for a single unit of a reward.";
    NEVER_RELEASED = "W0504", "Some units of a reward are not set free before the campaign closes.";
    RELEASED_AT_ONCE = "W0505", "Units are set free day by day, and all of them on the first day.";
    UNLIMITED = "W0506", "A reward that someone has to buy, and that neither stock nor budget limits.";
    LIMITS_CANCEL = "W0507", "Limits of which one makes the other meaningless.";
    PITY_RARE = "W0508", "Pity that will hardly ever be reached, or never.";
    RUNS_OUT = "W0509", "At the expected figures a reward's stock does not last, and nothing stands in for it.";
    BUDGET_SPENT = "W0510", "At the expected figures the budget does not last, and nothing stands in for it.";
    TIERS_NOT_FORECAST = "N0503", "What draws with tiers take of stock and budget is not worked out from the expected figures.";
    STANDS_IN = "N0502", "At the expected figures stock or budget does not last, and something stands in for it.";

    // E06xx: the machine.
    RESERVED_CODE = "E0601", "A rejection has a code that means something else already.";
    REJECT_AND_MORE = "E0602", "A transition rejects and does something, too.";
    AFTER_DRAW = "E0603", "Something after a draw could still say no, and the draw would be made again.";
    OUTCOME_NOT_LAST = "E0604", "An action that raises an outcome is not the last of its list.";
    NO_OUTCOME = "E0605", "`then` follows actions that raise no outcome.";
    ALWAYS_CYCLE = "E0606", "Transitions without an event lead in a circle.";
    TOO_SHORT = "E0607", "A delay of less than a minute.";
    AFTER_CYCLE = "E0608", "Delayed transitions could fire more than a thousand times within the window.";
    NOBODY_THERE = "E0609", "Something that needs a user, where time alone moves the machine.";
    EVENT_TWICE = "E0610", "An event is declared in two places.";
    FINAL_STATE = "E0611", "A final state in which something could still happen.";
    NO_MACHINE = "E0612", "There is no machine, or nothing to extend.";
    NOT_A_TIMER = "E0613", "An event of time itself carries a payload.";
    RULE_FAILS = "E0614", "A rule that fails when it runs: with a division by zero, or a number beyond 64 bits.";
    UNREACHABLE = "W0601", "A state that nothing leads to.";
    NEVER_TRIED = "W0602", "A transition that is never tried, because one before it always fires.";
    ANYONE = "W0603", "Anyone can send this, and it earns something of value.";
    NO_TOKEN = "W0604", "A claim is read where no user's token comes along.";
    NEVER_HOLDS = "W0605", "A guard that never holds, whatever the values are.";
    SHADOWED = "W0606", "A transition that is never tried, because the guards before it hold whenever its own does.";
    STUCK = "W0607", "A state that is not final, in which nothing can happen.";
    PAID_REJECTED = "W0608", "Something is taken for an entry that can still be refused.";
    NEVER_SEEN = "N0601", "A promise that no tried sequence of events has given; that it never is, is not proved.";

    // E07xx: an activity's sections.
    SECTION_MISSING = "E0701", "A section that this activity's default machine needs is missing.";
    NOTHING_GIVEN = "E0702", "A section that gives rewards names none.";
    EARNS_NOTHING = "E0703", "An event earns nothing, or more than one thing.";
    MAKEUP_TOO_FAR = "W0701", "Make-ups reach further than the window does.";

    // E15xx: packs and tasks.
    PACK_MIXED = "E1501", "Ways to give a pack, or to repeat a task, that do not go together.";
    CHOICE_NONE = "E1502", "A choice that is none.";
    STAGE_FIRST = "E1503", "A pack in stages has none for the day on which it is first claimed.";
    STAGE_BEYOND = "E1504", "A stage on a day that nobody's pack reaches before the campaign is over.";
    WINDOWS_OVERLAP = "E1505", "Two windows of a day overlap.";
    WINDOW_EMPTY = "E1506", "A window of the day ends before it begins, or goes on past the day's end.";
    FLASH_NEVER = "E1507", "A window of the day that never happens.";
    CHOICE_FIELD = "E1508", "The field in which an event says what is chosen is declared as something else.";
    TASK_CIRCLE = "E1509", "Tasks come after each other in a circle.";
    UNKNOWN_TASK = "E1510", "A task that the campaign does not have.";
    TASK_SUM = "E1511", "A task sums a field that does not exist, is no number, or never grows.";
    TASK_NEVER = "E1512", "A task that nobody can finish, because nothing reports it.";
    FLASH_OUTSIDE = "W1501", "A day with windows lies outside the campaign's own.";
    FLASH_SHORT = "W1502", "The windows of all days have more than there is of a reward.";
    FLASH_CLOCKS = "W1503", "A window does not happen, or is longer or shorter, on a day on which clocks change.";

    // E08xx: the tenant.
    TENANT_KEY = "E0801", "A key of the tenant's is incomplete or contradicts itself.";
    TENANT_KID = "E0802", "Two keys have the same `kid`.";
    TENANT_CLAIM = "E0803", "A claim's declaration can't be used.";
    TENANT_ORIGIN = "E0804", "An origin is not `https://host[:port]`.";
    TENANT_PROXY = "E0805", "A trusted proxy is neither an address nor a network.";
    TENANT_CURRENCY = "E0806", "A currency's digits are unknown.";
    TENANT_LANGUAGE = "E0807", "A language tag can't be used.";
    TENANT_NO_KEYS = "W0801", "No key that tokens could be checked with.";
    TENANT_DEV_KEY = "N0801", "A development key: fine on a laptop, never in production.";

    // E09xx: files.
    FILE_MISSING = "E0901", "A file that is named is not there.";
    FILE_NAME = "E0902", "A file or folder has a name that can't be an id.";
    LIST_LINE = "E0903", "A line of a list is no member id.";
    STORY = "E0904", "A story can't be played as it is written.";
    STORY_FAILED = "E0905", "A story came out differently.";
    STORY_LIST = "W0902", "A story puts its user on a list that no rule of the campaign reads.";
    RULES_MISSING = "W0901", "The rules are missing in one of the tenant's languages.";

    // E10xx: what campaigns tell each other.
    WHICH_CAMPAIGN = "E1001", "An event comes from a campaign, and it is not said from which.";
    UNKNOWN_CAMPAIGN = "E1002", "A campaign that the tenant does not have.";
    UNKNOWN_MESSAGE = "E1003", "A message that the campaign does not emit.";
    MESSAGE_MISFIT = "E1004", "A message lacks a field that the event needs, or has it with another type.";
    RELAY_CIRCLE = "E1005", "Campaigns tell each other in a circle, which would never end.";
    HEARD_TWICE = "E1006", "Two events of a campaign listen for the same message.";

    // E11xx: what a copy still has of the edition before.
    STALE_DATE = "W1101", "A copy still names the year or a day of what it was copied from.";
    STALE_LIST = "W1102", "A copy reads a list of the edition before.";
    STALE_STOCK = "W1103", "A copy promises the units or codes of the edition before.";
    STALE_MAPPING = "W1104", "A copy maps states or rules of the edition before.";
    OTHER_DAY = "N1101", "A date of a copy falls on another day of the week or the month.";

    // E12xx: the rules that users read.
    RULES_UNKNOWN = "E1201", "A placeholder of the rules that does not exist.";
    RULES_SYNTAX = "E1202", "A placeholder of the rules that can't be read where it stands.";
    RULES_NO_FIGURE = "E1203", "A placeholder of the rules for something that the campaign does not set.";
    RULES_EMPTY = "E1204", "A file of the rules is empty.";
    RULES_LANGUAGE = "W1201", "A placeholder of the rules writes English in a text of another language.";

    // E13xx: what the tenant's law asks.
    LAW_PRIZE = "E1301", "A prize that is drawn is worth more than the law allows.";
    LAW_RELEASE = "E1302", "A reward is set free bit by bit, and the rules do not say so.";
    LAW_BUDGET = "E1303", "A budget can end the prizes, and the rules do not say so.";
    LAW_NO_RULES = "E1304", "A campaign that gives something has no rules, and the law wants them.";
    LAW_ORGANIZER = "E1305", "The law wants to know who runs the campaigns, and nobody is named.";
    LAW_ARCHIVE = "E1306", "The books are kept for a shorter time than the law wants.";
    LAW_STANDS_IN = "W1301", "Something stands in for a reward that is gone, and the rules do not say so.";

    // E17xx: draws: how many at once, tiers, looks, chances bought, exclusions.
    TIMES = "E1701", "A number of draws at once that can't be made.";
    TIER_ORDER = "E1702", "A tier has no draw of its own, because the one before ends later.";
    LOOK_CELLS = "E1703", "A look lacks a place for something that a draw may end in, or has too few or too many.";
    BUYS_ITSELF = "E1704", "Something is bought with itself.";
    NOT_LOOKED_UP = "W1701", "A reward that is not for everybody is given where nobody can be looked up.";
    // E19xx: what is asked of the tenant's services.
    FACT_CONNECTOR = "E1901", "A fact is asked of a connector that is no service.";
    CONNECTOR = "E1902", "A connector can't be used as it is written.";
    FACT_FIELD = "E1903", "A fact's place in a service's answer can't be read.";
    FACT_TESTERS = "E1904", "Who tests depends on what a service says.";
    DELIVER_SERVICE = "E1905", "A reward is delivered through a service that only knows facts.";
    TEAM_ALONE = "E1911", "A team in a campaign where nobody signs in.";
    TEAM_NEEDS = "E1912", "How many of a team must sign in can't be read.";
    TEAM_STREAK = "E1913", "A streak of a team that gives something is too short or too long.";
    TEAM_NOT_COUNTED = "W1911", "Nothing that users do counts their days for their team.";
    FIRST_SIGHT_TWICE = "E1914", "A campaign asks twice who is new by first sight.";
    LEFT_OUT_NOWHERE = "W1914", "First sight leaves out a campaign that is not in the folder.";
    FIRST_SIGHT_OF_EACH_OTHER = "N1914", "Two campaigns are for newcomers by first sight, and taking part in one ends that in the other.";
    FACT_UNUSED = "W1901", "A fact that nothing reads.";
    FACT_NOBODY = "W1902", "A fact is read where no member is known whom one could ask about.";
    // E16xx: codes that come from a pool.
    POOL_OF_CODES = "E1601", "A pool stands at a reward that is no code, or that does not say how many are given.";
    POOL_TWICE = "E1602", "Two rewards take their codes from one pool.";
    POOL_IN_STORE = "N1609", "A reward's codes come from a pool, which only the store knows.";
    LOW_WATER = "E1603", "The figure from which on a pool is low can't be meant.";
    // E16xx too: codes that users hand in.
    CODE_SOURCE = "E1604", "It is not said which codes those of a kind are, or it is said twice.";
    CODE_WORD = "E1605", "A word that nobody can type as a code.";
    CODE_TWICE = "E1606", "Two kinds are of the same codes.";
    CODE_LIMIT = "E1607", "Limits of codes that do not go together.";
    CODE_FIELD = "E1608", "The field in which a code comes is declared as something else.";
    UNKNOWN_CODES = "E1609", "A kind of codes that the campaign does not take.";
    CODE_EVENT = "E1610", "A code is redeemed by an event that brings none.";
    CODES_MORE = "W1601", "Codes promise more than there is to give.";
    // E18xx: draws from a list of entries.
    RAFFLE_TIMES = "E1801", "The times of a raffle are not in their order.";
    RAFFLE_CLAIM = "E1802", "Winners of a raffle are given a time to claim that can't be kept.";
    RAFFLE_STOCK = "E1803", "A raffle's prize may be gone when its winners come for it.";
    RAFFLE_TOO_MANY = "E1804", "A raffle draws more winners and alternates than it can.";
    RAFFLE_PRIZE_TWICE = "E1805", "A prize stands in a raffle twice.";
    RAFFLE_UNUSED = "E1806", "Nobody can enter a raffle, or claim what it gives.";
    RAFFLE_NOT_FOR = "E1807", "A raffle gives a prize when it is drawn that is not for everybody.";
    RAFFLE_ALTERNATES = "W1801", "A raffle has alternates who can never come next.";
    // E20xx: posters, and where they lead.
    POSTER_TEMPLATE = "E2001", "A file that can't be a poster's template.";
    SHARE_ADDRESS = "E2002", "An address that a code leads to, or that a picture comes from, can't be used.";
    PICTURE_HOST = "E2003", "A picture comes from a host that the tenant does not allow.";
    TENANT_POSTERS = "E2004", "What a tenant says of its posters can't be used.";
    POSTER_NAME = "E2005", "A poster's template has a placeholder that is unknown.";
    POSTER_NOT_SHOWN = "E2006", "A poster would show what users are not shown.";
    POSTER_HOLDS = "E2007", "A place of a template is filled with something of another kind.";
    POSTER_SVG = "E2008", "A template can't be read as a drawing.";
    POSTER_OUTSIDE = "E2009", "A template names something outside of its folder.";
    POSTER_REFUSED = "E2010", "A template has something in it that is never drawn.";
    POSTER_FONT = "E2011", "A template names a font that is not there, or has letters that none has.";
    POSTER_PICTURE = "E2012", "A picture of a template is missing or can't be read.";
    POSTER_PLACE = "E2013", "A place of a template can't be read.";
    SHARE_NOBODY = "W2001", "Who brought a friend is not known.";
    POSTER_LANGUAGE = "W2002", "A poster has no template in one of the tenant's languages.";
    POSTER_OVERFLOW = "W2003", "The longest text does not fit into its place on a poster.";
    POSTER_NO_CODE = "W2004", "There is an address to share, and a poster has no code that leads there.";
    POSTER_CONTRAST = "W2005", "A text on a poster is hard to tell from what is behind it.";
    POSTER_UNUSED = "N2001", "A template that no campaign names.";
    // E14xx: days.
    DATE_NOT_PLAYED = "E1401", "A date is promised something, and nobody can sign in on it.";
    MAKEUP_COST = "E1402", "A make-up's cost is not so much of one balance.";
    NEVER_BREAKS = "E1403", "So many missed days are forgiven that no streak would ever break.";
    NEVER_REMINDED = "E1404", "A reminder that nobody would ever get.";
    MEASURED_FIELD = "E1405", "What makes a day count is no whole number that its event brings.";
    NEVER_EARNED = "W1401", "Something is spent of which nobody ever has any.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::TABLE;

    #[test]
    fn each_code_stands_once() {
        let codes: BTreeSet<_> = TABLE.iter().map(|(code, _)| code).collect();
        assert_eq!(codes.len(), TABLE.len());
    }

    #[test]
    fn codes_have_a_letter_and_four_digits() {
        for (code, meaning) in TABLE {
            let (letter, digits) = code.split_at(1);
            assert!(
                ["E", "W", "N"].contains(&letter)
                    && digits.len() == 4
                    && digits.parse::<u16>().is_ok(),
                "{code}"
            );
            assert!(meaning.ends_with('.'), "{code}: {meaning}");
        }
    }
}
