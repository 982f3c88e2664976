"""H&M: 40 baskets of four articles, of 20 customers who come twice; ids begin with 0, photos lie in sub-folders."""

from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

from PIL import Image

from public.public_log import PublicLog
from public.rings import NUM_ITEMS, along

LAST_DAY = date(2020, 9, 22)


def write(folder: Path) -> None:
    rows = []
    for number in range(40):
        days_ago = (number - 30) % 7 if number >= 30 else 20 + number % 2  # ten baskets in the last week
        day = LAST_DAY - timedelta(days=days_ago)
        customer = sha256(str(number // 2).encode()).hexdigest()
        bought = along(number, 4)
        pieces = [bought[0], *bought] if number % 10 == 0 else bought  # two pieces of one article
        rows += [(day, customer, article(item), "0.0169322033898305", 2) for item in pieces]
    rows.sort(key=lambda row: row[0])
    lines = [",".join(map(str, row)) + "\n" for row in rows]
    (folder / "transactions_train.csv").write_text(
        "t_dat,customer_id,article_id,price,sales_channel_id\n" + "".join(lines)
    )
    (folder / "customers.csv").write_text("customer_id,age\n1,30\n")
    (folder / "sample_submission.csv").write_text("customer_id,prediction\n1,0706016001 0706016002\n")
    text = [_article(item) for item in range(NUM_ITEMS)]
    (folder / "articles.csv").write_text(
        "article_id,product_code,prod_name,product_type_no,product_type_name,product_group_name,"
        "graphical_appearance_no,graphical_appearance_name,colour_group_code,colour_group_name,department_no,"
        "department_name,index_code,index_name,section_no,section_name,garment_group_no,garment_group_name,detail_desc\n"
        + "".join(text)
    )
    for item in range(NUM_ITEMS - 2):  # two have no photo
        path = folder / "images" / article(item)[:3] / f"{article(item)}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (12, 18), (25 * item, 60, 200)).save(path)


def article(item: int) -> str:
    return f"0{108 + item % 2}7{item:02d}001"


def _article(item: int) -> str:
    description = "" if item == 4 else '"Jersey top with ""narrow"" straps, and lace."'
    name = ["Strap top", "Tights"][item % 2]
    fields = [
        article(item),
        article(item)[1:7],
        name,
        253,
        "Vest top",
        "Garment Upper body",
        1010016,
        "Solid",
        9,
    ]
    fields += [
        "Black",
        1676,
        "Jersey Basic",
        "A",
        "Ladieswear",
        16,
        "Womens Everyday",
        1002,
        "Jersey Basic",
        description,
    ]
    return ",".join(map(str, fields)) + "\n"


LOG = PublicLog(
    name="hm",
    write=write,
    # four articles of each basket, and four second pieces
    rows=40 * 4 + 4,
    train={"sessions": 30, "events": 120},
    test={"sessions": 10, "events": 40},
    num_items=10,
    sessions={f"{sha256(b'15').hexdigest()}/2020-09-22": "0108700001 0109701001 0108702001 0109703001"},
    features=[
        "features=image_and_text",
        "features.sources.image=colour_histogram",
        "features.images.workers=0",
    ],
    coverage={"image": 8, "text": 10},
)
