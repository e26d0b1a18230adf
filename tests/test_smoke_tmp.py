def test_client(desk_client):
    c=desk_client("sales")
    r=c.get("/company/"); print(r.status_code, r.text[:200]); assert r.status_code==200
    r=desk_client().get("/company/"); assert r.status_code in (302,401,404), r.status_code
def test_page(desk_page):
    p=desk_page("sales"); p.goto("/backoffice/company/"); print(p.title())
