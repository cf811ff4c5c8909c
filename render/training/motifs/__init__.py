"""The 83 motifs that `pareidolia` learns to classify. Each is a function that draws one picture.

drawing: coordinates, shapes and paint. All other modules hold the motifs, by subject.
"""

from collections.abc import Callable
from dataclasses import dataclass

from render.training.motifs import (
    animals,
    artefacts,
    faces,
    fruit,
    matter,
    nature,
    patterns,
    plants,
)
from render.training.motifs.drawing import Frame, Paint


@dataclass(frozen=True)
class Motif:
    """A class of training pictures.

    lean: largest rotation in radians. fills: whether the motif covers the whole picture.
    """

    name: str
    draw: Callable[[Frame], Paint]
    lean: float
    fills: bool = False


UPRIGHT, TILTED, ANY_WAY = 0.12, 0.5, 3.1416

MOTIFS: tuple[Motif, ...] = (
    Motif("eye", faces.eye, TILTED),
    Motif("face", faces.face, UPRIGHT),
    Motif("dog", faces.dog, UPRIGHT),
    Motif("owl", faces.owl, UPRIGHT),
    Motif("cat", faces.cat, UPRIGHT),
    Motif("fish", animals.fish, TILTED),
    Motif("butterfly", animals.butterfly, TILTED),
    Motif("ladybird", animals.ladybird, ANY_WAY),
    Motif("octopus", animals.octopus, UPRIGHT),
    Motif("daisy", plants.daisy, ANY_WAY),
    Motif("rose", plants.rose, ANY_WAY),
    Motif("lily", plants.lily, ANY_WAY),
    Motif("sunflower", plants.sunflower, ANY_WAY),
    Motif("leaf", plants.leaf, TILTED),
    Motif("fern", plants.fern, TILTED),
    Motif("mushroom", plants.mushroom, UPRIGHT),
    Motif("tree", plants.tree, UPRIGHT),
    Motif("cactus", plants.cactus, UPRIGHT),
    Motif("pig", faces.pig, UPRIGHT),
    Motif("scales", patterns.scales, TILTED, fills=True),
    Motif("fur", patterns.fur, TILTED, fills=True),
    Motif("tiger", patterns.tiger, TILTED, fills=True),
    Motif("leopard", patterns.leopard, ANY_WAY, fills=True),
    Motif("feather", patterns.feather, ANY_WAY),
    Motif("peacock", patterns.peacock, TILTED),
    Motif("coral", patterns.coral, TILTED),
    Motif("arches", artefacts.arches, UPRIGHT, fills=True),
    Motif("pagoda", artefacts.pagoda, UPRIGHT),
    Motif("lion", faces.lion, UPRIGHT),
    Motif("castle", artefacts.castle, UPRIGHT),
    Motif("brick", artefacts.brick, UPRIGHT, fills=True),
    Motif("window", artefacts.window, ANY_WAY),
    Motif("wheel", artefacts.wheel, ANY_WAY),
    Motif("mandala", artefacts.mandala, ANY_WAY),
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
    Motif("fox", faces.fox, UPRIGHT),
    Motif("turtle", animals.turtle, ANY_WAY),
    Motif("jellyfish", animals.jellyfish, TILTED),
    Motif("panda", faces.panda, UPRIGHT),
    Motif("skull", faces.skull, UPRIGHT),
    Motif("dragonfly", animals.dragonfly, ANY_WAY),
    Motif("bee", animals.bee, ANY_WAY),
    Motif("spider", animals.spider, ANY_WAY),
    Motif("zebra", patterns.zebra, TILTED, fills=True),
    Motif("palm", plants.palm, UPRIGHT),
    Motif("pine", plants.pine, UPRIGHT),
    Motif("grapes", fruit.grapes, UPRIGHT),
    Motif("strawberry", fruit.strawberry, TILTED),
    Motif("tulip", plants.tulip, UPRIGHT),
    Motif("succulent", plants.succulent, ANY_WAY),
    Motif("sun", nature.sun, ANY_WAY),
    Motif("rainbow", nature.rainbow, UPRIGHT),
    Motif("lava", nature.lava, ANY_WAY, fills=True),
    Motif("waves", nature.waves, UPRIGHT, fills=True),
    Motif("snowflake", nature.snowflake, ANY_WAY),
    Motif("mountain", nature.mountain, UPRIGHT),
    Motif("fractal", patterns.fractal, ANY_WAY),
    Motif("contours", patterns.contours, ANY_WAY),
    Motif("spiral", patterns.spiral, ANY_WAY),
    Motif("lighthouse", artefacts.lighthouse, UPRIGHT),
    Motif("ship", artefacts.ship, UPRIGHT),
    Motif("pumpkin", fruit.pumpkin, UPRIGHT),
    Motif("frog", faces.frog, UPRIGHT),
    Motif("pineapple", fruit.pineapple, TILTED),
    Motif("penguin", animals.penguin, UPRIGHT),
    Motif("balloon", artefacts.balloon, UPRIGHT),
    Motif("temple", artefacts.temple, UPRIGHT),
    Motif("watermelon", fruit.watermelon, TILTED),
    Motif("glass", artefacts.glass, ANY_WAY, fills=True),
)
"""All classes, in the order of the network's scores."""
