"""Recipe files: what is taken, what is refused, and how a refusal reads."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from imagemill.recipes import Recipe, RecipeError, from_canonical, load, names
from imagemill.recipes.encoders import ENCODERS as WRITTEN_ENCODERS
from imagemill.recipes.parameters import ENCODERS, KINDS, TRANSFORMS
from imagemill.recipes.transforms import TRANSFORMS as WRITTEN_TRANSFORMS


def recipes_of(tmp_path: Path, text: str) -> dict[str, Recipe]:
    path = tmp_path / "recipes.yaml"
    path.write_text(text, "utf-8")
    return load(path)


def test_the_built_in_recipes() -> None:
    recipes = load()
    assert list(recipes) == ["gray", "compress", "thumbnail", "fit", "webp", "denoise", "edges"]
    assert all(name == recipe.name and recipe.description for name, recipe in recipes.items())
    assert recipes["gray"].content_type == "image/png"
    assert recipes["thumbnail"].content_type == "image/jpeg"
    assert recipes["webp"].content_type == "image/webp"


def test_every_declared_step_is_written_and_no_other() -> None:
    assert (tuple(WRITTEN_TRANSFORMS), tuple(WRITTEN_ENCODERS)) == (TRANSFORMS, ENCODERS)


def test_a_users_file_adds_and_replaces(tmp_path: Path) -> None:
    text = "tiny: {steps: [gray, {fit: {width: 32}}, webp]}\ngray: {description: smaller, steps: [gray, jpeg: ]}"
    recipes = recipes_of(tmp_path, text)
    assert set(recipes) == {*load(), "tiny"}
    assert recipes["gray"].content_type == "image/jpeg"
    assert recipes["tiny"].steps[1].as_dict() == {"fit": {"width": 32, "height": 256}}
    assert names(tmp_path / "recipes.yaml") == sorted(recipes)


def test_the_digest_is_of_the_steps_with_their_defaults_alone(tmp_path: Path) -> None:
    recipes = recipes_of(
        tmp_path,
        """
        a: {description: one, steps: [{fit: {height: 256}}, jpeg]}
        b: {description: two, steps: [{fit: {width: 256}}, {jpeg: {progressive: false, quality: 80}}]}
        c: {steps: [{fit: {width: 257}}, jpeg]}
        d: {steps: [{blur: {sigma: 2}}, png]}
        e: {steps: [{blur: {sigma: 2.0}}, png]}
        """,
    )
    assert recipes["a"].digest == recipes["b"].digest != recipes["c"].digest
    assert recipes["d"].digest == recipes["e"].digest
    canonical = b'[{"fit":{"height":256,"width":256}},{"jpeg":{"progressive":false,"quality":80}}]'
    assert recipes["a"].digest == hashlib.sha256(canonical).hexdigest()


def test_the_digest_of_gray_stays_as_it_is() -> None:
    # Stored results are found by it: a change here makes every picture be computed again.
    canonical = b'[{"gray":{}},{"png":{"compression":null}}]'
    assert load()["gray"].digest == hashlib.sha256(canonical).hexdigest()


@pytest.mark.parametrize("recipe", load().values(), ids=lambda recipe: recipe.name)
def test_a_recipe_comes_back_from_its_canonical_form(recipe: Recipe) -> None:
    again = from_canonical(recipe.name, recipe.canonical)
    assert (again.steps, again.digest) == (recipe.steps, recipe.digest)


def test_a_canonical_form_that_is_none_is_refused() -> None:
    with pytest.raises(RecipeError, match="not JSON"):
        from_canonical("x", "gray")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a: {steps: [{jpeg: {quality: 101}}]}", ['"a"', 'step 1 "jpeg"', "quality = 101", "quality (1 to 100)"]),
        ("a: {steps: [{jpeg: {quality: '80'}}]}", ["quality = '80'"]),
        ("a: {steps: [{jpeg: {quality: true}}]}", ["quality = True"]),
        ("a: {steps: [{jpeg: {qualty: 80}}]}", ["qualty = 80", "no such key", "quality (1 to 100)"]),
        ("a: {steps: [{jpeg: 80}]}", ["this is 80", "quality (1 to 100)"]),
        ("a: {steps: [{fit: {width: 0}}, png]}", ["width = 0", "width (1 to 16384)"]),
        ("a: {steps: [{rotate: {degrees: 45}}, png]}", ["degrees = 45", "90, 180, 270"]),
        ("a: {steps: [{blur: {sigma: .nan}}, png]}", ["sigma = nan", "above 0 to 50"]),
        ("a: {steps: [{png: {compression: 10}}]}", ["compression = 10", "0 to 9 or null"]),
        ("a: {steps: [{gray: {x: 1}}, png]}", ["x = 1", "Allowed: none"]),
        ("a: {steps: [{grey: {}}, png]}", ["step 1", "'grey'", "gray, fit,", "jpeg, png, webp"]),
        ("a: {steps: [gray]}", ['step 1 "gray"', "last step", "jpeg, png, webp"]),
        ("a: {steps: [png, jpeg]}", ['step 1 "png"', "only the last step may encode"]),
        ("a: {steps: [{gray: {}, png: {}}]}", ["step 1", "one name with its parameters"]),
        ("a: {steps: [3]}", ["step 1", "this is 3"]),
        ("a: {steps: []}", ['"a"', "1 to 20 steps"]),
        ("a: {steps: [" + "gray, " * 30 + "png]}", ["1 to 20 steps"]),
        ("a: {stps: [png]}", ['"a"', "must have the key steps"]),
        ("a: [png]", ['"a"', "must have the key steps"]),
        ("a: {description: 3, steps: [png]}", ["description must be a text", "3"]),
        ("a.b: {steps: [png]}", ["'a.b'", "a-z, 0-9, - and _"]),
        ("1: {steps: [png]}", ["Recipe 1"]),
        ("- a", ["must map recipe names"]),
        ("", ["must map recipe names"]),
        ("a: {", ["not valid YAML"]),
        ("a: !!python/object:os.system {}", ["not valid YAML"]),
    ],
)
def test_a_mistake_is_named_with_its_place_value_and_what_is_allowed(
    tmp_path: Path, text: str, parts: list[str]
) -> None:
    with pytest.raises(RecipeError) as caught:
        recipes_of(tmp_path, text)
    for part in [*parts, "recipes.yaml"]:
        assert part in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"none\.yaml cannot be read"):
        load(tmp_path / "none.yaml")


def test_every_parameter_has_a_description_of_what_is_allowed() -> None:
    assert all(kind.params.__doc__ for kind in KINDS.values())


def test_recipes_are_known_without_opencv_and_numpy() -> None:
    # The api has neither of them installed.
    code = (
        "import sys; sys.modules.update(cv2=None, numpy=None); from imagemill.recipes import load; print(len(load()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.strip(), done.stderr) == ("7", "")
