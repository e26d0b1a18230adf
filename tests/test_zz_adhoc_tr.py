import re
from tests.test_translations import *
@pytest.mark.databases("sqlite")
def test_adhoc(desk_client, italian, data):
    client=desk_client("admin"); client.get("/language/it")
    ok={" ".join(t.split()) for m in messages(italian) for t in forms(m.string)}
    ex=re.compile("|".join(".+".join(map(re.escape,PLACEHOLDER.split(t))) for m in messages(italian) for t in forms(m.string) if PLACEHOLDER.search(t) and len(PLACEHOLDER.sub("",t))>4))
    out={}; und=set()
    n=0
    for here,w in every_kind_of_page(client):
        n+=1
        for s in w.said-data-ok:
            if ex.fullmatch(s) or not re.search("[A-Za-z]{3}",s): continue
            out.setdefault(s,here)
    open('/tmp/w/tr/adhoc.txt','w').write("\n".join(f"{s}\t{h}" for s,h in sorted(out.items())))
    print(n,len(out))
