"""Building the index: unique items and names, in an order that later listings continue."""

import json
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.dataset.index_builder import build_index
from jobs.dataset.inputs.index import FILE_ITEMS, DatasetKeys, ItemIndex, Listing
from jobs.dataset.inputs.item import InputPlace, Item, ListedImage
from jobs.spec.dataset import DatasetSpec
from jobs.spec.kinds import parse_spec
from jobs.store.store import Store
from jobs.text.errors import InvalidRecord, RequestError
from tests.support.job_states import JOB
from tests.support.memory_store import Died, MemoryStore, MortalStore

KEYS = DatasetKeys(JOB)


def spec(**fields: Any) -> DatasetSpec:
    result = parse_spec({"kind": "dataset", "inputs": "/pictures"} | fields)
    assert isinstance(result, DatasetSpec)
    return result


SPEC = spec()


def found(key: str, **changes: Any) -> ListedImage:
    return ListedImage(key=key, place=InputPlace(address=f"/pictures/{key}"), **changes)


def keep_addresses(images: list[ListedImage]) -> list[ListedImage]:
    return images


def build(store: Store, keys: Iterable[str], spec: DatasetSpec = SPEC) -> Listing | None:
    return build_index(store, KEYS, spec, map(found, keys), keep_addresses)


def items(store: Store) -> list[Item]:
    return list(ItemIndex(store, KEYS).all_items())


def names(store: Store) -> list[str]:
    return [item.name for item in items(store)]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@settings(max_examples=40)
@given(st.lists(st.text("ab./#2", min_size=1, max_size=4), max_size=12))
def test_each_picture_is_one_item_in_order_with_a_unique_name(listed: list[str]) -> None:
    store = MemoryStore()
    build(store, listed)
    result = items(store)

    keys = [item.found.key for item in result]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(listed)
    assert {item.found.place.address for item in result} == {f"/pictures/{key}" for key in listed}
    assert len({item.name for item in result}) == len(result)
    assert [item.number for item in result] == list(range(len(result)))


def test_the_order_of_the_listing_does_not_matter(store: MemoryStore) -> None:
    other = MemoryStore()
    listed = ["b/x.jpg", "a.jpg", "b.jpg", "a.png", "B.jpg", "ö.jpg"]
    build(store, listed)
    build(other, reversed(listed))

    assert items(store) == items(other)
    assert [one.found.key for one in items(store)] == sorted(listed)


def test_a_picture_listed_twice_is_two_items(store: MemoryStore) -> None:
    build(store, ["a.jpg", "b.jpg", "a.jpg", "a.jpg"])

    assert [item.found.key for item in items(store)] == ["a.jpg", "a.jpg#2", "a.jpg#3", "b.jpg"]
    assert {item.found.place.address for item in items(store)[:3]} == {"/pictures/a.jpg"}
    assert len(set(names(store))) == 4


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (["a/x.jpg", "b/x.jpg"], ["a/x", "b/x"]),
        (["x.jpg", "x.png"], ["x", "x-png"]),
        (["x-png.jpg", "x.jpg", "x.png"], ["x-png", "x", "x-png-2"]),
        (["x", "x.jpg"], ["x", "x-jpg"]),
        (["../x.jpg", "/x.jpg"], ["__/x", "x"]),
        # A result must not take the place of a folder, nor of the contact sheet.
        (["a.jpg", "a.png/b.jpg"], ["a", "a.png_/b"]),
        (["a.png/b.jpg", "a.png_/b.jpg"], ["a.png_/b", "a.png_/b-jpg"]),
        (["contact-sheet.jpg", "x/contact-sheet.jpg"], ["contact-sheet-jpg", "x/contact-sheet"]),
    ],
)
def test_inputs_with_equal_stems_get_unique_names(
    store: MemoryStore, listed: list[str], expected: list[str]
) -> None:
    build(store, listed)
    assert names(store) == expected


def test_a_picture_is_an_item_for_each_variant(store: MemoryStore) -> None:
    build(store, ["a.jpg", "b.jpg"], spec(sweep={"dream.seed": [1, 2]}))

    assert [(one.found.key, one.variant, one.name) for one in items(store)] == [
        ("a.jpg", 0, "a-1"),
        ("a.jpg", 1, "a-2"),
        ("b.jpg", 0, "b-1"),
        ("b.jpg", 1, "b-2"),
    ]


def test_a_row_may_name_its_result(store: MemoryStore) -> None:
    listed = [found("a.jpg", settings={"name": "first/{stem}"}), found("b.jpg")]
    build_index(store, KEYS, spec(output={"name": "all/{stem}"}), listed, keep_addresses)

    assert names(store) == ["first/a", "all/b"]


def test_equal_names_from_a_template_are_refused_and_nothing_is_written(
    store: MemoryStore,
) -> None:
    template = spec(output={"name": "{stem}"})
    many = [f"{number:05}.jpg" for number in range(FILE_ITEMS + 1)]
    with pytest.raises(RequestError) as error:
        build(store, [*many, "zz/x.jpg", "zz/y/x.png"], template)

    assert str(error.value) == (
        "output.name: zz/x.jpg and zz/y/x.png would both be x; add {key}, {ext} or {variant}"
    )
    assert not store.objects


def test_item_files_of_a_dead_submit_are_ignored() -> None:
    store = MortalStore()
    store.writes_left = 1
    with pytest.raises(Died):
        build(store, ["a.jpg"])
    store.writes_left = None

    assert ItemIndex(store, KEYS).item_count == 0
    build(store, ["a.jpg", "b.jpg"])
    assert names(store) == ["a", "b"]


@settings(max_examples=40)
@given(st.lists(st.sets(st.sampled_from("abcdefgh")), min_size=1, max_size=4))
def test_a_new_listing_adds_only_new_pictures(listings: Sequence[set[str]]) -> None:
    store = MemoryStore()
    known: set[str] = set()
    for listed_keys in listings:
        before = items(store)
        listing = build(store, listed_keys)
        new = listed_keys - known
        assert (None if listing is None else listing.item_count) == (len(new) or None)
        after = items(store)
        assert after[: len(before)] == before
        assert [one.found.key for one in after[len(before) :]] == sorted(new)
        known |= listed_keys


def test_names_stay_unique_when_a_dataset_grows(store: MemoryStore) -> None:
    build(store, ["x.jpg"])
    build(store, ["x.jpg", "x.png", "x-png.jpg"])
    assert names(store) == ["x", "x-png", "x-png-2"]

    template = spec(output={"name": "{stem}"})
    with pytest.raises(RequestError, match=r"x\.jpg and x\.tif would both be x;"):
        build(store, ["x.tif"], template)


def test_files_have_a_thousand_items_and_are_numbered_over_all_listings(store: MemoryStore) -> None:
    first = build(store, (f"{number:05}.jpg" for number in range(2 * FILE_ITEMS + 5)))
    second = build(store, ["new.jpg"])
    assert first is not None
    assert second is not None
    index = ItemIndex(store, KEYS)

    assert first.sizes == (FILE_ITEMS, FILE_ITEMS, 5)
    assert (second.first_file, second.first_item, second.sizes) == (3, 2 * FILE_ITEMS + 5, (1,))
    assert (index.listing_count, index.item_count, index.files) == (2, 2006, range(4))
    assert index.item_numbers(2) == range(2000, 2005)
    assert [item.found.key for item in index.read(3)] == ["new.jpg"]


@pytest.mark.parametrize(
    "changes",
    [{"first_file": 304}, {"first_item": 7}, {"sizes": [10**15]}, {"sizes": [1] * 2 + [1001]}],
)
def test_a_listing_with_numbers_that_do_not_follow_is_refused(
    store: MemoryStore, changes: dict[str, Any]
) -> None:
    build(store, ["one.jpg"])
    document = json.loads(store.get(KEYS.listing(1))) | changes
    store.put(KEYS.listing(1), json.dumps(document).encode())
    with pytest.raises(InvalidRecord, match=r"listing/0001\.json: "):
        ItemIndex(store, KEYS)


def test_items_of_two_tars_are_in_different_files_if_results_are_packed(store: MemoryStore) -> None:
    packed = spec(output={"pack": "webdataset"})
    listed = [
        found(f"{tar}/{n}", input_tar=tar) for tar in ("one", "two", "three") for n in range(3)
    ]
    build_index(store, KEYS, packed, listed, keep_addresses)
    index = ItemIndex(store, KEYS)

    shards = [{item.found.input_tar for item in index.read(file)} for file in index.files]
    assert shards == [{"one"}, {"three"}, {"two"}]

    other = MemoryStore()
    build_index(other, KEYS, SPEC, listed, keep_addresses)
    assert len(ItemIndex(other, KEYS).files) == 1


def test_of_two_submits_at_once_one_wins_and_the_other_leaves_nothing(store: MemoryStore) -> None:
    barrier = threading.Barrier(2)

    def wait(images: list[ListedImage]) -> list[ListedImage]:
        barrier.wait(10)
        return images

    def run(keys: list[str]) -> Listing | None:
        return build_index(store, KEYS, SPEC, map(found, keys), wait)

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(run, (["a.jpg", "b.jpg"], ["a.jpg", "c.jpg"]))

    assert one is not None
    assert one == two
    assert {entry.key for entry in store.list_objects("")} == {
        KEYS.listing(1),
        KEYS.item_file(one.nonce, 0),
    }
    assert len(items(store)) == 2
    # The next listing adds the pictures of the loser.
    build(store, ["a.jpg", "b.jpg", "c.jpg"])
    assert {item.found.key for item in items(store)} == {"a.jpg", "b.jpg", "c.jpg"}


def test_the_index_has_the_addresses_of_uploaded_files(store: MemoryStore) -> None:
    def send(images: list[ListedImage]) -> list[ListedImage]:
        return [
            one.model_copy(update={"place": InputPlace(address="blob:sha256:0")}) for one in images
        ]

    build_index(store, KEYS, SPEC, [found("a.jpg")], send)
    assert [item.found.place.address for item in items(store)] == ["blob:sha256:0"]


def test_damaged_records_are_errors_with_their_keys(store: MemoryStore) -> None:
    listing = build(store, ["a.jpg", "b.jpg"])
    build(store, ["c.jpg"])
    assert listing is not None
    file = KEYS.item_file(listing.nonce, 0)
    whole = store.get(file)
    first, second = whole.splitlines(keepends=True)
    for damaged in (b"", first, second + first, first + first, b"{}\n" + second, whole[:-9]):
        store.put(file, damaged)
        with pytest.raises(InvalidRecord, match=file):
            items(store)
    store.delete([file])
    with pytest.raises(InvalidRecord, match=f"{file}: is missing"):
        items(store)

    store.put(file, whole)
    store.put(KEYS.listing(2), b"{}")
    with pytest.raises(InvalidRecord, match=KEYS.listing(2)):
        items(store)
    store.delete([KEYS.listing(1)])
    with pytest.raises(InvalidRecord, match="a listing is missing"):
        ItemIndex(store, KEYS)
