"""Names of invented people.

Belongs here: the two lists and how they are combined. Does not belong here: ids, which name nobody.
"""

from __future__ import annotations

import numpy as np

FIRST = (
    "Ada", "Alba", "Amara", "Anders", "Anouk", "Arjun", "Asta", "Basil", "Beatriz", "Bela", "Bilal", "Bruno",
    "Calla", "Cato", "Celia", "Corin", "Dalia", "Dario", "Delia", "Dov", "Edda", "Elio", "Elspeth", "Emeka",
    "Enzo", "Esme", "Farah", "Felix", "Fenna", "Fiona", "Gaia", "Goran", "Greta", "Hana", "Hugo", "Ida", "Ilse",
    "Imani", "Ines", "Ivo", "Jada", "Joan", "Jonas", "Juno", "Kamal", "Keiko", "Kira", "Lars", "Leila", "Lior",
    "Lucia", "Luka", "Mabel", "Maren", "Mateo", "Mei", "Milan", "Mina", "Nadia", "Naveen", "Nils", "Noor",
    "Odile", "Olek", "Oona", "Oscar", "Paloma", "Pavel", "Petra", "Priya", "Quinn", "Rafi", "Ravi", "Renata",
    "Rhea", "Rosa", "Rufus", "Sabine", "Sami", "Selma", "Senna", "Sofia", "Stellan", "Sunil", "Tamar", "Tarik",
    "Tess", "Tilda", "Tomas", "Uma", "Vera", "Viggo", "Wanda", "Willa", "Xenia", "Yara", "Yusuf", "Zeno",
    "Zora",
)  # fmt: skip
LAST = (
    "Abara", "Adeyemo", "Alder", "Amsel", "Arkwell", "Ashdown", "Aubrac", "Bellamar", "Bergholt", "Birkdale",
    "Bramwell", "Brightsea", "Calloway", "Carrow", "Castellane", "Chandrel", "Cordwain", "Dallimore",
    "Darrowby", "Devanand", "Dunmarrow", "Eastlake", "Ekwall", "Elverton", "Emberly", "Fairbourne", "Falkner",
    "Farrowgate", "Fennimore", "Foxhall", "Galloway", "Garnetti", "Glenmore", "Greyfield", "Halvorsen",
    "Harrowgate", "Hasegren", "Hollin", "Ibarrola", "Inglewood", "Iversund", "Jasperson", "Jarrold",
    "Kaplinsky", "Kestrel", "Kingsmere", "Kovalent", "Lambourne", "Larkspur", "Lindqvist", "Lorimer",
    "Madrigal", "Mahendran", "Marchbank", "Merriwell", "Mistral", "Montclare", "Nakagiri", "Northcote",
    "Oakhurst", "Okonedo", "Oldcastle", "Ormond", "Pallister", "Pemberwick", "Quennell", "Quimby",
    "Ravensworth", "Redfearn", "Rosendahl", "Rushmore", "Saltmarsh", "Sandoval", "Sarkany", "Selwyn",
    "Silverlake", "Sorrell", "Stavros", "Tamworth", "Thackeray", "Thornbury", "Tregarth", "Ullswater", "Umber",
    "Vantongeren", "Verma", "Villanova", "Wakefield", "Waverley", "Westergaard", "Whitlock", "Winterbourne",
    "Wolcott", "Yamanaka", "Yarrow", "Yearwood", "Zabrin", "Zellweg",
)  # fmt: skip


def invented_names(count: int, random: np.random.Generator) -> list[str]:
    """`count` different names, 'First Last'. Raises ValueError when more are asked for than can be combined."""
    if count > len(FIRST) * len(LAST):
        raise ValueError(f"{count} names asked for; the lists give {len(FIRST) * len(LAST)}")
    picks = random.permutation(len(FIRST) * len(LAST))[:count]
    return [f"{FIRST[pick % len(FIRST)]} {LAST[pick // len(FIRST)]}" for pick in picks.tolist()]
