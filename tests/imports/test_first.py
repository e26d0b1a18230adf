import io, time, pathlib
def test_pages(desk_client):
    client = desk_client("administrator")
    page = client.get("/company/import/")
    assert page.status_code == 200
    content=pathlib.Path('/work/shared/data/public-bodies-it.csv').read_bytes()
    def post(url, data):
        t=time.time(); r=client.submit(url, data); print(url, r.status, r.location, round(time.time()-t,2)); return r
    r=post("/company/import/", {"file": (io.BytesIO(content),"enti.csv")})
    loc=r.location.replace('/backoffice','')
    p=client.get(loc); print(p.status); pathlib.Path('/tmp/w/map.html').write_text(p.text)
    import re
    data={m[0]:m[2] for m in re.findall(r'name="(column\.\d+)"(.*?)<option value="([^"]+)" selected',p.text,re.S) if '</select>' not in m[1]}
    print(data)
    r=post(loc, data|{"mode":"both","matched_by":"external_code","source_system":""}); print('IndicePA' , r.status, re.findall(r'field-error.*?</span>',r.text)[:3])
    r=post(loc, data|{"mode":"both","matched_by":"external_code","source_system":"IndicePA"})
    for _ in range(8):
        url=r.location.replace('/backoffice',''); p=client.get(url)
        assert p.status_code==200, p.text[:2000]
        m=re.search(r'<form[^>]*action="([^"]+)" data-continue',p.text)
        if not m: break
        r=post(m[1].replace('/backoffice',''),{})
    pathlib.Path('/tmp/w/try.html').write_text(p.text)
    print(re.findall(r'<dd>(.*?)</dd>',p.text), url)
    base=loc.rsplit('/',1)[0]
    for k in ('csv','xlsx'):
        d=client.get(base+f'/refused.{k}'); print(d.status,d.headers['Content-Type'],d.headers['Content-Disposition'],len(d.data))
        pathlib.Path(f'/tmp/w/ref.{k}').write_bytes(d.data)
    r=post(base+'/apply',{})
    for _ in range(8):
        url=r.location.replace('/backoffice',''); p=client.get(url)
        assert p.status_code==200, p.text[:2000]
        m=re.search(r'<form[^>]*action="([^"]+)" data-continue',p.text)
        if not m: break
        r=post(m[1].replace('/backoffice',''),{})
    print(url, re.findall(r'<dd>(.*?)</dd>',p.text)); pathlib.Path('/tmp/w/done.html').write_text(p.text)
    assert 0
