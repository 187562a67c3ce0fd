"""The words that titles, overviews, names and reviews are made of, all written for this project."""


def _listed(text: str) -> tuple[str, ...]:
    """The parts of a text between its commas; a line end in a part counts as a space."""
    return tuple(" ".join(part.split()) for part in text.split(","))


GENRES = (
    (28, "Action", 11),
    (12, "Adventure", 8),
    (16, "Animation", 5),
    (35, "Comedy", 17),
    (80, "Crime", 7),
    (99, "Documentary", 4),
    (18, "Drama", 23),
    (10751, "Family", 5),
    (14, "Fantasy", 4),
    (36, "History", 2),
    (27, "Horror", 6),
    (10402, "Music", 2),
    (9648, "Mystery", 3),
    (10749, "Romance", 9),
    (878, "Science Fiction", 5),
    (10770, "TV Movie", 1),
    (53, "Thriller", 12),
    (10752, "War", 2),
    (37, "Western", 1),
)
"""TMDB's genres: id, name, and how often each is the first of a movie, out of 127."""

LANGUAGES = (
    ("en", "English", "English", "US", "United States of America", 62),
    ("fr", "French", "Français", "FR", "France", 8),
    ("ja", "Japanese", "日本語", "JP", "Japan", 7),
    ("es", "Spanish", "Español", "ES", "Spain", 6),
    ("hi", "Hindi", "हिन्दी", "IN", "India", 5),
    ("ko", "Korean", "한국어", "KR", "South Korea", 5),
    ("de", "German", "Deutsch", "DE", "Germany", 4),
    ("cn", "Cantonese", "广州话 / 廣州話", "HK", "Hong Kong", 3),
)
"""Language code, English name, own name, country code, country, and its share in percent."""

NATIVE_TITLE_WORDS = {
    "fr": ("L'Été", "La Nuit", "Le Phare", "Les Ombres", "La Rivière"),
    "ja": ("雨の庭", "遠い灯", "銀の駅", "冬の手紙", "青い橋"),
    "es": ("La Señal", "El Río", "Las Cenizas", "La Montaña", "El Último Tren"),
    "hi": ("नीली नदी", "आख़िरी ख़त", "चाँद का घर", "लंबा रास्ता", "सूखा बाग़"),
    "ko": ("푸른 다리", "겨울 편지", "먼 등대", "조용한 강", "마지막 역"),
    "de": ("Die Brücke", "Der Süden", "Das Schloß", "Grüne Nächte", "Der Gärtner"),
    "cn": ("雨夜", "長河", "燈塔", "青橋", "最後一站"),
}

FIRST_NAMES = _listed(
    """
    Ada, Aldo, Amara, Anton, Ayla, Basil, Beatriz, Bram, Calla, Caspian, Chidi, Clio, Dara, Desmond,
    Dina, Edda, Emeka, Esra, Fabian, Farah, Fenna, Gideon, Greta, Hana, Hugo, Ilse, Imani, Ines, Iver,
    Jana, Jarek, Jin, Joaquín, Kaia, Keiko, Kofi, Lars, Leila, Linnea, Lucho, Mads, Malika, Marek, Mei,
    Milo, Nadia, Nils, Noor, Odile, Omar, Orla, Pavel, Petra, Priya, Quentin, Rafi, Renée, Rosa, Saanvi,
    Sven, Tamsin, Tariq, Theo, Uma, Vera, Viggo, Wanda, Xenia, Yara, Yusuf, Zadie, Zoltán
    """
)

LAST_NAMES = _listed(
    """
    Abara, Ahlgren, Almeida, Ashdown, Banerjee, Bergström, Blackwood, Bonnet, Carver, Castell, Chaudhry,
    Corvin, Dahl, Delacroix, Drummond, Dvořák, Eastley, Ekwueme, Fairweather, Farkas, Ferrante,
    Fujimoto, Galloway, Garnier, Grimaldi, Haddad, Halvorsen, Hartigan, Hashimoto, Ibarra, Ivanova,
    Jansen, Joshi, Kaplan, Karlsen, Kimura, Kowalczyk, Laurent, Lindqvist, Lockhart, Machado, Marchetti,
    Mbeki, Merriweather, Moreau, Nakata, Navarro, Nguyen, Nyström, O'Dell, Okonkwo, Oyelaran, Park,
    Pellegrino, Petrov, Quigley, Ramaswamy, Renner, Rosenthal, Sadowski, Santoro, Sato, Silverlake,
    Sørensen, Tanaka, Thackeray, Torres, Ueda, Valdez, Van Aert, Varga, Wexford, Whitlock, Wójcik,
    Yamada, Yildiz, Zapata, Zeller, Zhou
    """
)

ADJECTIVES = _listed(
    """
    brave, brilliant, broken, charming, cruel, cursed, deadly, devoted, fearless, forgotten, gentle,
    glorious, grieving, hopeful, hopeless, joyful, lonely, loving, lucky, miserable, obsessed, peaceful,
    proud, ruthless, sad, silent, stubborn, terrified, vicious, wonderful
    """
)

ROLES = _listed(
    """
    lighthouse keeper, violinist, detective, beekeeper, smuggler, surgeon, schoolteacher, pilot,
    gardener, forger, widow, cartographer, boxer, astronomer, ferryman, translator, chess player,
    stuntwoman, journalist, locksmith, baker, soldier, archivist, clockmaker, radio host, diver
    """
)

EVENTS = _listed(
    """
    wins back the trust of, falls in love with, betrays, rescues, hunts down, forgives, abandons, is
    haunted by, celebrates one last summer with, makes peace with, declares war on, is threatened by,
    finds unexpected joy with, loses everything to, is framed for the murder of, sacrifices a career for
    """
)

PLACES = _listed(
    """
    a drowned valley, the last night train, an island without birds, a town that never sleeps, the salt
    desert, a shuttered opera house, the northern border, a house of mirrors, the old harbour, an
    orbiting greenhouse, a mountain monastery, the flooded metro, a travelling fair, the glass quarter
    """
)

TURNS = (
    "A happy accident brings help from the best of friends.",
    "When disaster strikes, fear and hatred tear the village apart.",
    "What begins as a harmless joke ends in terror and death.",
    "Against all odds, kindness and courage win the day.",
    "The truth is ugly, the price is terrible, and nobody can be trusted.",
    "It is a warm and funny story about love, luck and good food.",
    "No one expects the letter that arrives on the seventh day.",
    "Two strangers have until morning to agree on a plan.",
    "A violent storm destroys the bridge, and with it the only way out.",
    "Their beautiful friendship survives every lie.",
    "An old map, a missing key and a clock that runs backwards point to the same door.",
    "Grief turns to rage, and rage to a cruel revenge.",
)

NOUNS = _listed(
    """
    Harbour, Orchard, Lantern, Winter, Compass, Tide, Garden, Ember, Horizon, Mirror, Thorn, Archive,
    Sparrow, Quarry, Meridian, Echo, Ballad, Labyrinth, Frontier, Signal, Cathedral, Monsoon, Paradox,
    Reckoning, Carnival, Voyage, Promise, Shadow, Kingdom, Oath, River
    """
)

TITLE_PLACES = (
    "Avalon Street",
    "the North",
    "Saint Orlo",
    "Tomorrow",
    "the Deep",
    "Old Marrow",
    "the Ninth Floor",
)

TAGLINES = (
    "Some doors open only once.",
    "Trust the tide.",
    "Nobody leaves unchanged.",
    "Love is the easy part.",
    "The past keeps excellent records.",
    "Laugh first. Run later.",
    "Every map lies.",
)

CHARACTERS = _listed(
    """
    The Stranger, Captain Orsk, Aunt Mirel, Dr. Vale, Young Teodor, The Judge, Nurse Halloran, Inspector
    Pym, Old Rook, Sister Agnès, Ellis / The Double, Bartender, Waitress, Reporter, Guard #2, Lieutenant
    Brandt, Mina, Joss, Self, Voice (voice), Mayor Quill, The Twin
    """
)

COMPANY_WORDS = _listed(
    """
    Amber, Boreal, Copper Kettle, Driftwood, Evenfall, Falconer, Grey Heron, Highwater, Ivory Gate,
    Juniper, Kestrel, Longshore, Moonmoth, Northlight, Ocelot, Paper Boat, Quill & Lamp, Redbrick
    """
)

COMPANY_KINDS = ("Pictures", "Films", "Entertainment", "Studios", "Productions", "Media")

CREW_JOBS = (
    ("Screenplay", "Writing"),
    ("Producer", "Production"),
    ("Director of Photography", "Camera"),
    ("Editor", "Editing"),
    ("Original Music Composer", "Sound"),
    ("Executive Producer", "Production"),
    ("Casting", "Production"),
    ("Production Design", "Art"),
    ("Costume Design", "Costume & Make-Up"),
    ("Sound Mixer", "Sound"),
    ("Writer", "Writing"),
    ("Visual Effects Supervisor", "Visual Effects"),
)

REVIEW_SENTENCES = (
    "I loved every minute of it, and the ending is perfect.",
    "A dull, lazy mess with terrible dialogue.",
    "The leads are wonderful together.",
    "It is far too long, and the second half is boring.",
    "**Great score**, gorgeous images, a real pleasure.",
    "I have rarely been so disappointed; an awful waste of talent.",
    "Not bad, not good, gone from memory by the next day.",
    "Funny, warm and clever: *highly recommended*.",
    "The violence is ugly and serves nothing.",
    "A brave little film that deserves an audience.",
)
