"""The motifs: what the network learns to tell apart, each a formula with its own colours."""

from collections.abc import Callable
from dataclasses import dataclass

from render.training.motifs import (
    animals,
    buildings,
    creatures,
    forms,
    fruit,
    garden,
    heads,
    insects,
    matter,
    nature,
    plants,
    skins,
    things,
)
from render.training.motifs.drawing import Paint, Sheet


@dataclass(frozen=True)
class Motif:
    """A class of pictures: how it is drawn, how far it may lean (radians), whether it fills."""

    name: str
    draw: Callable[[Sheet], Paint]
    lean: float
    fills: bool = False


UPRIGHT, TILTED, ANY_WAY = 0.12, 0.5, 3.1416

MOTIFS: tuple[Motif, ...] = (
    Motif("eye", creatures.eye, TILTED),
    Motif("face", creatures.face, UPRIGHT),
    Motif("dog", creatures.dog, UPRIGHT),
    Motif("owl", creatures.owl, UPRIGHT),
    Motif("cat", creatures.cat, UPRIGHT),
    Motif("fish", creatures.fish, TILTED),
    Motif("butterfly", creatures.butterfly, TILTED),
    Motif("ladybird", creatures.ladybird, ANY_WAY),
    Motif("octopus", creatures.octopus, UPRIGHT),
    Motif("daisy", plants.daisy, ANY_WAY),
    Motif("rose", plants.rose, ANY_WAY),
    Motif("lily", plants.lily, ANY_WAY),
    Motif("sunflower", plants.sunflower, ANY_WAY),
    Motif("leaf", plants.leaf, TILTED),
    Motif("fern", plants.fern, TILTED),
    Motif("mushroom", plants.mushroom, UPRIGHT),
    Motif("tree", plants.tree, UPRIGHT),
    Motif("cactus", plants.cactus, UPRIGHT),
    Motif("pig", heads.pig, UPRIGHT),
    Motif("scales", skins.scales, TILTED, fills=True),
    Motif("fur", skins.fur, TILTED, fills=True),
    Motif("tiger", skins.tiger, TILTED, fills=True),
    Motif("leopard", skins.leopard, ANY_WAY, fills=True),
    Motif("feather", skins.feather, ANY_WAY),
    Motif("peacock", skins.peacock, TILTED),
    Motif("coral", skins.coral, TILTED),
    Motif("arches", buildings.arches, UPRIGHT, fills=True),
    Motif("pagoda", buildings.pagoda, UPRIGHT),
    Motif("lion", heads.lion, UPRIGHT),
    Motif("castle", buildings.castle, UPRIGHT),
    Motif("brick", buildings.brick, UPRIGHT, fills=True),
    Motif("window", buildings.window, ANY_WAY),
    Motif("wheel", buildings.wheel, ANY_WAY),
    Motif("mandala", buildings.mandala, ANY_WAY),
    Motif("ripples", matter.ripples, ANY_WAY),
    Motif("wood", matter.wood, TILTED, fills=True),
    Motif("honeycomb", matter.honeycomb, ANY_WAY, fills=True),
    Motif("flame", matter.flame, UPRIGHT),
    Motif("lightning", matter.lightning, UPRIGHT, fills=True),
    Motif("crystal", matter.crystal, TILTED),
    Motif("bubbles", matter.bubbles, ANY_WAY),
    Motif("shell", matter.shell, ANY_WAY),
    Motif("galaxy", matter.galaxy, ANY_WAY),
    Motif("web", matter.web, ANY_WAY),
    Motif("starfish", matter.star, ANY_WAY),
    Motif("marble", matter.marble, ANY_WAY, fills=True),
    Motif("bird", animals.bird, TILTED),
    Motif("wings", animals.wings, TILTED),
    Motif("snake", animals.snake, TILTED),
    Motif("fox", heads.fox, UPRIGHT),
    Motif("turtle", animals.turtle, ANY_WAY),
    Motif("jellyfish", animals.jellyfish, TILTED),
    Motif("panda", animals.panda, UPRIGHT),
    Motif("skull", animals.skull, UPRIGHT),
    Motif("dragonfly", insects.dragonfly, ANY_WAY),
    Motif("bee", insects.bee, ANY_WAY),
    Motif("spider", insects.spider, ANY_WAY),
    Motif("zebra", skins.zebra, TILTED, fills=True),
    Motif("palm", garden.palm, UPRIGHT),
    Motif("pine", garden.pine, UPRIGHT),
    Motif("grapes", garden.grapes, UPRIGHT),
    Motif("strawberry", garden.strawberry, TILTED),
    Motif("tulip", garden.tulip, UPRIGHT),
    Motif("succulent", garden.succulent, ANY_WAY),
    Motif("sun", nature.sun, ANY_WAY),
    Motif("rainbow", nature.rainbow, UPRIGHT),
    Motif("lava", nature.lava, ANY_WAY, fills=True),
    Motif("waves", nature.waves, UPRIGHT, fills=True),
    Motif("snowflake", nature.snowflake, ANY_WAY),
    Motif("mountain", nature.mountain, UPRIGHT),
    Motif("fractal", forms.fractal, ANY_WAY),
    Motif("contours", forms.contours, ANY_WAY),
    Motif("spiral", forms.spiral, ANY_WAY),
    Motif("lighthouse", things.lighthouse, UPRIGHT),
    Motif("ship", things.ship, UPRIGHT),
    Motif("pumpkin", fruit.pumpkin, UPRIGHT),
    Motif("frog", heads.frog, UPRIGHT),
    Motif("pineapple", fruit.pineapple, TILTED),
    Motif("penguin", heads.penguin, UPRIGHT),
    Motif("balloon", things.balloon, UPRIGHT),
    Motif("temple", things.temple, UPRIGHT),
    Motif("watermelon", fruit.watermelon, TILTED),
    Motif("glass", forms.glass, ANY_WAY, fills=True),
)
"""Every class, in the order of the network's scores."""
