"""The list of owned numbers: paging as the SDK does it, filters, and what a page costs."""

import pytest

from telephony.client import client
from telephony.simulator.state import State, Wanted
from telephony.tests.contract_cases import ME, MINE

ME_SID = ME.rsplit("/", 1)[1]


def numbers(count: int, area: str = "212") -> list[str]:
    return [f"+1{area}{2000000 + n}" for n in range(count)]


@pytest.fixture
def owned(simulator):
    """250 numbers, in the order in which they were bought."""
    known = numbers(250)
    simulator.seed_many(known)
    return known


def e164s(rows) -> list[str]:
    return [row.phone_number for row in rows]


def test_the_sdk_walks_all_pages_in_order(owned, exchanges):
    assert e164s(client().incoming_phone_numbers.list(page_size=100)) == owned
    assert [exchange.body["page"] for exchange in exchanges] == [0, 1, 2]
    assert [exchange.body["start"] for exchange in exchanges] == [0, 100, 200]
    assert exchanges[-1].body["end"] == 249
    assert exchanges[-1].body["next_page_uri"] is None


def test_following_pages_ask_by_token_in_the_address(owned, exchanges):
    client().incoming_phone_numbers.list(page_size=100, limit=150)
    last_of_first = exchanges[0].body["incoming_phone_numbers"][-1]["sid"]
    assert exchanges[1].fields == {
        "Page": "1", "PageSize": "100", "PageToken": f"PA{last_of_first}"
    }  # fmt: skip


def test_a_page_has_50_numbers_unless_asked_otherwise(owned, ask):
    body = ask("GET", f"{MINE}.json").body
    assert (body["page_size"], len(body["incoming_phone_numbers"])) == (50, 50)


def test_the_sdk_goes_back_to_the_page_before(owned, exchanges):
    first = client().incoming_phone_numbers.page(page_size=100)
    second = first.next_page()
    again = second.previous_page()
    assert e164s(again) == owned[:100]
    assert again.previous_page() is None


def test_a_full_last_page_is_the_last(simulator, ask):
    simulator.seed_many(numbers(20))
    body = ask("GET", f"{MINE}.json", {"PageSize": "20"}).body
    assert len(body["incoming_phone_numbers"]) == 20
    assert body["next_page_uri"] is None


def test_a_number_released_between_two_pages_moves_no_other(simulator, owned, exchanges):
    page = client().incoming_phone_numbers.page(page_size=100)
    first = list(page)
    for gone in (first[0], first[-1]):
        simulator.app.state.release(simulator.account, gone.sid)
    assert e164s(page.next_page()) == owned[100:200]


def test_released_numbers_and_those_of_others_are_not_listed(simulator, ask):
    sid = simulator.seed("+12122000001")
    simulator.seed("+12122000002", account="AC" + "5" * 32)
    simulator.seed("+12122000003")
    simulator.app.state.release(simulator.account, sid)
    body = ask("GET", f"{MINE}.json").body
    assert [row["phone_number"] for row in body["incoming_phone_numbers"]] == ["+12122000003"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("+12122000003", ["+12122000003"]),
        ("+1212200000*", ["+12122000003", "+12122000001"]),
        ("+1212", ["+12122000003", "+12122000001"]),
        ("000001", ["+14152000001", "+12122000001"]),
        ("2*22000001", ["+12122000001"]),
        ("+2122000001", []),
        ("999", []),
    ],
)
def test_a_number_is_found_by_a_part_of_it(wanted, found, simulator, exchanges):
    for e164 in ("+12122000003", "+14152000001", "+12122000001"):
        simulator.seed(e164)
    rows = client().incoming_phone_numbers.list(phone_number=wanted)
    assert sorted(e164s(rows)) == sorted(found)


def test_numbers_are_found_by_their_name_and_their_origin(simulator, exchanges):
    simulator.seed("+12122000001", friendly_name="Front desk")
    simulator.seed("+12122000002", friendly_name="Front desk", origin="hosted")
    simulator.seed("+12122000003", friendly_name="Back office")
    find = client().incoming_phone_numbers.list
    assert e164s(find(friendly_name="Front desk")) == ["+12122000001", "+12122000002"]
    assert e164s(find(origin="hosted")) == ["+12122000002"]
    assert e164s(find(friendly_name="Front desk", origin="twilio")) == ["+12122000001"]


@pytest.mark.parametrize(
    "filters", [{}, {"phone_number": "+1212"}, {"friendly_name": "Front desk"}]
)
def test_a_filtered_list_is_walked_whole(filters, simulator, exchanges):
    for e164 in numbers(25):
        simulator.seed(e164, friendly_name="Front desk")
    rows = client().incoming_phone_numbers.list(page_size=10, **filters)
    assert sorted(e164s(rows)) == numbers(25)
    assert len(exchanges) == 3


def steps(state: State, work) -> int:
    """How many instructions of SQLite's machine the work takes: a measure without a clock."""
    count = 0

    def tick() -> int:
        nonlocal count
        count += 1
        return 0

    state._db.set_progress_handler(tick, 1)
    work()
    state._db.set_progress_handler(None, 1)
    return count


def account_with(count: int) -> State:
    """Half of the numbers released, since those must cost nothing either."""
    state = State()
    state.adopt(ME_SID, numbers(count, "415"))
    state._db.execute("UPDATE number SET released_at = 'then'")
    state.adopt(ME_SID, numbers(count))
    return state


@pytest.fixture(scope="module")
def small_and_large() -> tuple[State, State]:
    return account_with(500), account_with(20_000)


def last_page(state: State) -> int:
    """The steps of reading ten numbers at the end of the list."""
    [*_, mark] = state.page(ME_SID, size=11, newest_first=True)
    page = []
    cost = steps(state, lambda: page.extend(state.page(ME_SID, size=10, after=mark["sid"])))
    assert len(page) == 10
    return cost


def finding(wanted: Wanted):
    def find(state: State) -> int:
        found = []
        cost = steps(state, lambda: found.extend(state.page(ME_SID, wanted, size=10)))
        assert found
        return cost

    return find


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(last_page, id="last page"),
        pytest.param(finding(Wanted()), id="first page"),
        pytest.param(finding(Wanted(number=numbers(400)[-1])), id="by number"),
        pytest.param(finding(Wanted(number="+1212200039*")), id="by beginning"),
        pytest.param(finding(Wanted(name=numbers(400)[-1])), id="by name"),
        pytest.param(
            lambda state: steps(state, lambda: state.is_free("+12122000100")), id="is it free"
        ),
        pytest.param(
            lambda state: steps(state, lambda: state.find(ME_SID, "+12122000100")), id="is it ours"
        ),
    ],
)
def test_what_a_look_costs_does_not_grow_with_the_numbers_owned(small_and_large, work):
    small, large = small_and_large
    assert work(large) <= work(small) + 20  # a B-tree may be a level higher


def test_the_measure_does_show_a_look_that_reads_everything(small_and_large):
    small, large = small_and_large
    cost = [steps(state, lambda s=state: s.owned(ME_SID)) for state in (small, large)]
    assert cost[1] > 20 * cost[0]
