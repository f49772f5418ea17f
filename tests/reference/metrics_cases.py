"""Texts that the metric generators score: realistic pairs and single cases at the edges."""

import json

# (hypothesis, references); German, English, and summaries, from near-perfect to poor.
CORPUS = [
    (
        "Ein Mann mit einem roten Hut repariert sein Fahrrad.",
        ["Ein Mann mit rotem Hut repariert ein Fahrrad."],
    ),
    ("Zwei Kinder spielen im Schnee vor dem Haus.", ["Zwei Kinder spielen vor dem Haus im Schnee."]),
    ("Eine Frau liest eine Zeitung in der U-Bahn.", ["Eine Frau liest in der U-Bahn Zeitung."]),
    (
        "Der Hund springt über einen umgefallenen Baumstamm.",
        ["Der Hund springt über einen umgestürzten Baumstamm."],
    ),
    (
        "Mehrere Leute warten an der Haltestelle auf den Bus.",
        ["Einige Leute warten an einer Bushaltestelle."],
    ),
    ("Ein Junge wirft einen Ball .", ["Ein Junge wirft seinem Vater einen Ball zu."]),
    ("Das Mädchen malt mit Kreide auf die Straße.", ["Das Mädchen malt mit Kreide auf die Straße."]),
    (
        "Drei Musiker spielen Gitarre auf einer Bühne.",
        ["Drei Musiker stehen auf einer Bühne und spielen Gitarre."],
    ),
    (
        "Ein älterer Herr füttert die Tauben am Brunnen.",
        ["Ein alter Mann füttert Tauben neben einem Brunnen."],
    ),
    (
        "Die Köchin schneidet Zwiebeln, Möhren und Sellerie.",
        ["Die Köchin schneidet Möhren, Zwiebeln und Lauch."],
    ),
    ("A cyclist rides down a steep, muddy hill.", ["A cyclist is riding down a steep and muddy hill."]),
    ("The children are building a sand castle at the beach.", ["Children build a sandcastle on the beach."]),
    ("A woman in a blue dress is waving to the crowd.", ["A woman wearing a blue dress waves to the crowd."]),
    ("Two workers carry a ladder across the street.", ["Two workmen are carrying a ladder over the street."]),
    (
        "A group of tourists takes photos of the cathedral.",
        ["A group of tourists is photographing the cathedral."],
    ),
    (
        "The old bridge was closed for repairs on Monday.",
        ["On Monday, the old bridge was closed for repair."],
    ),
    ("Prices rose by 3.5% in March, the office said.", ["Prices went up 3.5 % in March, said the office."]),
    ("The ferry leaves at 18:45 from pier 7.", ["The ferry departs from pier 7 at 6:45 p.m."]),
    ("He paid $1,250.00 for the painting.", ["He bought the painting for $1,250."]),
    ('"I don\'t know," she said, "ask him."', ['"I do not know", she said. "Ask him!"']),
    (
        "The mayor's state-of-the-art office isn't finished yet.",
        ["The mayor's modern office is not yet finished."],
    ),
    (
        "Flooding closed four schools; no one was injured.",
        ["Four schools were closed by floods. Nobody was hurt."],
    ),
    (
        "Researchers found that regular walking improves memory.",
        ["Walking regularly improves memory, researchers found."],
    ),
    (
        "The club signed the goalkeeper for three seasons.",
        ["The goalkeeper signed a three-season contract with the club."],
    ),
    ("Die Fähre legt um 18.45 Uhr vom Pier 7 ab.", ["Um 18.45 Uhr legt die Fähre von Pier 7 ab."]),
    ("Sie steht jeden Morgen um sechs Uhr auf.", ["Sie steht jeden Morgen um 6 Uhr auf."]),
    (
        "Er hat das Buch nicht gelesen, sondern nur gekauft.",
        ["Er hat das Buch nur gekauft, aber nicht gelesen."],
    ),
    (
        "Der Zug kam mit 20 Minuten Verspätung in Köln an.",
        ["Der Zug erreichte Köln mit zwanzig Minuten Verspätung."],
    ),
    ("Im Garten blühen die ersten Krokusse.", ["Die ersten Krokusse blühen im Garten."]),
    ("Niemand wusste, wem der Schlüssel gehört.", ["Niemand wusste, wem der Schlüssel gehörte."]),
    ("Das Konzert wurde wegen des Regens abgesagt.", ["Wegen Regen fiel das Konzert aus."]),
    (
        "Ein Fischer sitzt in seinem Boot und wartet und wartet und wartet.",
        ["Ein Fischer wartet in seinem Boot."],
    ),
    (
        "The volunteers planted 400 trees along the river bank.",
        ["Volunteers planted four hundred trees along the river."],
    ),
    (
        "Police are investigating the theft of two paintings.",
        ["The theft of two paintings is being investigated by police."],
    ),
    (
        "The new library opens next week with free concerts.",
        ["Free concerts mark the opening of the new library next week."],
    ),
    ("A dog.", ["A small brown dog is sleeping under the kitchen table."]),
    ("Ein kleiner brauner Hund schläft unter dem Tisch in der Küche.", ["Ein Hund."]),
    ("The results were announced on Friday evening.", ["The results were announced on Friday evening."]),
    ("Unrelated words entirely", ["Das hat nichts damit zu tun."]),
    ("Wir fahren morgen früh nach Österreich.", ["Morgen früh fahren wir nach Österreich."]),
    ("She carefully opened the mysterious package.", ["Carefully, she opened the mysterious parcel."]),
    (
        "The rationally organised argument was finally adopted.",
        ["A rational argument was adopted in the end."],
    ),
]

# Sentences with different numbers of references.
SEVERAL = [
    (hypothesis, references + extra)
    for (hypothesis, references), extra in zip(
        CORPUS[:12],
        [
            ["Ein Mann mit einem roten Hut flickt sein Rad."],
            [],
            ["Eine Frau liest eine Zeitung in der Bahn.", "In der U-Bahn liest eine Frau die Zeitung."],
            ["Ein Hund springt über einen Stamm."],
            ["Mehrere Menschen warten an der Haltestelle.", "Leute warten auf den Bus.", "Warten."],
            ["Ein Junge wirft den Ball."],
            ["Ein Mädchen malt auf die Straße."],
            [],
            ["Ein älterer Herr füttert am Brunnen die Tauben."],
            ["Die Köchin schneidet Gemüse.", ""],
            ["A cyclist rides down a muddy hill."],
            ["The kids are building a castle of sand at the beach."],
        ],
    )
]
TWO_EACH = [(h, r + [r[0].replace("the ", "").lower()]) for h, r in CORPUS[10:24]]

SINGLE = {
    "identical": (
        "The quick brown fox jumps over the lazy dog.",
        ["The quick brown fox jumps over the lazy dog."],
    ),
    "identical, shorter than four words": ("Good morning.", ["Good morning."]),
    "one word": ("Hund", ["Hund"]),
    "one wrong word": ("Katze", ["Hund"]),
    "empty hypothesis": ("", ["Something was expected here."]),
    "empty reference": ("Nothing was expected here.", [""]),
    "both empty": ("", [""]),
    "white space only": (" \t ", ["a b"]),
    "trailing white space": ("a b c d \u3000", [" a  b\tc d"]),
    "no common word": ("alpha beta gamma delta", ["one two three four"]),
    "one shared word": ("the cat sat on a mat today", ["yesterday the dogs were barking loudly outside"]),
    "repetition": ("the the the the the the the", ["the cat is on the mat", "there is a cat on the mat"]),
    "too long": ("a b c d e f g h i j k l", ["a b c d e"]),
    "too short": ("a b c d e", ["a b c d e f g h i j k l"]),
    "equally near lengths": ("a b c d e f", ["a b c d e f g", "a b c d e"]),
    "emoji": ("I ❤️ pizza 🍕🍕 and 👩‍👩‍👧 too! 😀", ["I ❤️ pizza 🍕 and my 👩‍👩‍👧, too! 😀"]),
    "combining marks": (
        "Cafe\u0301 nai\u0308ve re\u0301sume\u0301",
        ["Café naïve résumé", "Cafe\u0301 naive resume"],
    ),
    "Chinese": ("今天天气很好，我们去公园吧。", ["今天的天气真好，我们一起去公园吧！"]),
    "Japanese": ("彼は毎朝６時に起きます。", ["彼は毎日６時に起きる。「はい」"]),
    "Korean": ("오늘은 날씨가 좋습니다.", ["오늘 날씨가 아주 좋습니다."]),
    "Russian": ("Привет, мир! Как дела?", ["Привет мир, как твои дела?"]),
    "Greek": ("Ο ΟΔΥΣΣΕΑΣ ΠΑΕΙ ΣΤΗΝ ΑΘΗΝΑ. Σ", ["Ο Οδυσσέας πάει στην Αθήνα. σας"]),
    "Greek in marks": ("ΛΟΓΟΣ' ΛΟΓΟΣ'Α (ΟΣ) Σ. ΑΣ\u0301", ["λογος' λογοσ'α (ος) σ. ας\u0301"]),
    "Arabic": ("مرحبا بالعالم، كيف حالك؟", ["مرحبا بكم في العالم، كيف الحال؟"]),
    "Hindi": ("नमस्ते दुनिया। आप कैसे हैं?", ["नमस्ते दुनिया, आप कैसे हैं।"]),
    "Turkish": ("İstanbul'da IĞDIR ve İzmir", ["istanbul'da ığdır ve izmir"]),
    "German": ("Größe, Maß & Übermut: ÄÖÜ äöü ß ẞ", ["GRÖSSE, Maß und Übermut; äöü ÄÖÜ ß"]),
    "Kelvin sign": ("300 \u212a is \u212aelvin", ["300 K is Kelvin"]),
    "punctuation": ("!?.,;:-()[]{}<>/\\|@#$%^&*_+=~`'\"", ["!?.,;:-()[]{}<>/\\|@#$%^&*_+=~`'\"", "...,,,"]),
    "stops": (
        "Wait... what?! No.. yes,,maybe. a.b,c .d ,e f.",
        ["Wait ... what ?! No .. yes , maybe . a.b,c"],
    ),
    "typographic": ("“Quoted” — ‘yes’ … €5 or £4½ ‰ № § ©®™", ["\"Quoted\" - 'yes' ... €5 or £4.50 §"]),
    "numbers": (
        "1,000.50 and 3.14, 2-3 or 2 - 3, .5 5. 10:30 1/2 x2.",
        ["1,000.5 and 3.14; 2-3 or .5, 5 10:30 ½ x2"],
    ),
    "number then stop": ("Born in 1984.", ["Born in 1984 ."]),
    "other digits": ("٣٫١٤ und १,२ und ５.５", ["٣٫١٤ and १,२ and ５.５"]),
    "hyphens": (
        "well-known 1990-2000 co-op 5-star non‑breaking",
        ["well known 1990 - 2000 coop 5-star non-breaking"],
    ),
    "apostrophes": ("It's the dogs' rock 'n' roll, isn't it?", ["It is the dog's rock'n'roll, is n't it?"]),
    "HTML entities": (
        "Tom &amp; Jerry &quot;said&quot; a &lt; b &gt; c &amp;lt; &apos; &nbsp;",
        ['Tom & Jerry "said" a < b > c <'],
    ),
    "skipped marker": ("a <skipped> b c d e", ["a b c d e"]),
    "line break inside": ("one two-\nthree four\nfive six", ["one twothree four five six"]),
    "several lines": (
        "The council approved the plan.\nWork starts in May.\n\nResidents complained about noise.",
        [
            "Work will start in May.\nThe city council has approved the plan.\nResidents fear the noise.",
            "Plan approved.",
        ],
    ),
    "same word on many lines": (
        "police arrested police\npolice\nthe police",
        ["the police\npolice killed police\na man"],
    ),
    "tied subsequences": ("a b c a b\nb a c", ["b a c b a\nc c a b", "a c b a"]),
    "no-break spaces": (
        "10\u00a0km and\u20095\u202fkg\u2003a\u0085b\u001cc\u200bd",
        ["10 km and 5 kg a b c d"],
    ),
    "stemming": (
        "The relational operators were hopping happily, generalizations flying skies",
        ["Relate operating hops happy; generalize flies and sky dying agreed feeding"],
    ),
    "Stems and digits": (
        "1990s cars B2B xyzzy yyyy by ying 4ied",
        ["1990 car b2b xyzzies yyyys bys yings 4ied"],
    ),
    "long line": (
        " ".join(f"word{i % 37} and, {i}." for i in range(400)),
        [" ".join(f"word{i % 41} or, {i}." for i in range(390))],
    ),
}

# Texts in scripts that English rules of words do not suit.
SCRIPTS = {
    "Russian, cased": (
        "Кошка СПИТ на тёплой Крыше, 2 собаки — нет.",
        ["Кошка спит на крыше; две собаки не спят.", "На тёплой крыше спит кошка."],
    ),
    "Chinese with words": (
        "我们在2024年用GPT-4模型翻译了3.5万句话，效果很好。",
        ["2024年，我们用 GPT-4 翻译了35000句，效果非常好！"],
    ),
    "Chinese years": ("二〇二四年〇一月", ["二〇二三年一月"]),
    "rare Han": ("𠮷野家と﨑と豈", ["𠮷野屋は豈・﨑"]),
    "Japanese with kana": (
        "スーパーで「りんご・バナナ」を2,000円分買いました々〆。",
        ["スーパーでバナナとリンゴを２０００円だけ買った。", "ｽｰﾊﾟｰでﾊﾞﾅﾅを買う"],
    ),
    "Thai": ("วันนี้ฉันไปตลาด ๒๕๖๗ ราคา ฿50 บาท", ["วันนี้เขาไปที่ตลาด 2567 ราคา ๕๐ บาท ฯ"]),
    "Korean": ("오늘은 서울에서 회의가 열렸다.", ["오늘 서울에서 회의가 열렸습니다."]),
    "Hindi": ("मैं कल दिल्ली जाऊँगा, १० बजे।", ["मैं दिल्ली कल १० बजे जाऊंगा।"]),
    "Arabic with marks": ("كِتَابٌ جَدِيدٌ في المكتبة", ["كتاب جديد في المكتبة، ٢٠٢٤"]),
    "Persian": ("می\u200cخواهم کتاب‌ها را ببینم", ["میخواهم کتاب ها را ببینم"]),
    "Vietnamese": ("Tôi muốn ĐI chợ ở Hà Nội", ["tôi đi chợ Hà Nội"]),
    "case folding": ("STRASSE Maß ΟΔΟΣ İzmir ǅ ﬁn", ["Straße MASS οδος i̇zmir ǆ FIN"]),
    "numbers of all kinds": ("x² Ⅳ ½ ٣٤ ⑤ under_score a1b2 1,5", ["x2 iv 1/2 34 5 under score A1B2 1.5"]),
    "symbols": ("☀️ ♥ «да» “no” …—", ["☀ ♥ да no"]),
    "no words": ("!!! … ★", ["? ★"]),
}


def columns(pairs):
    """Hypotheses, and references as sacrebleu takes them: a list for each rank, None where there are fewer."""
    ranks = max(len(references) for _, references in pairs)
    streams = [[r[k] if k < len(r) else None for _, r in pairs] for k in range(ranks)]
    return [h for h, _ in pairs], streams


def write_json(path, head, cases):
    """One case a line, so that a changed case shows as one line."""
    lines = ",\n".join(json.dumps(case) for case in cases)
    path.write_text(json.dumps(head)[:-1] + f',\n"cases": [\n{lines}\n]}}\n')


def corpora():
    """Named corpora: the large ones, and each single case as a corpus of one."""
    named = {"corpus": CORPUS, "several references": SEVERAL, "two references": TWO_EACH}
    named.update({"one: " + name: [pair] for name, pair in SINGLE.items()})
    named["all"] = CORPUS + list(SINGLE.values())
    return named
