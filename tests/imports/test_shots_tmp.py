import pathlib

from axe_playwright_python.sync_playwright import Axe


def shot(p, n):
    for w,h in ((1440,900),(390,844)):
        p.set_viewport_size({"width":w,"height":h}); p.screenshot(path=f"/tmp/w/shot_{n}_{w}.png", full_page=(w==390))
    p.set_viewport_size({"width":1440,"height":900})
    r=Axe().run(p); print(n, [ (v['id'],[x['target'] for x in v['nodes']][:3]) for v in r.response['violations']])
def test_shots(desk_page):
    p=desk_page("administrator")
    src=pathlib.Path('/work/shared/data/public-bodies-it.csv').read_text().splitlines(keepends=True)
    pathlib.Path('/tmp/w/enti-pubblici.csv').write_text(''.join(src[:1200]))
    p.goto("/backoffice/company/import/"); shot(p,'file')
    p.set_input_files('#file','/tmp/w/enti-pubblici.csv'); p.click('main button[type=submit]'); p.wait_for_url("**/columns"); shot(p,'map')
    p.click('.action-bar button[type=submit]'); p.wait_for_load_state(); shot(p,'mapbad')
    p.fill('#source_system','IndicePA'); p.click('.action-bar button[type=submit]'); p.wait_for_url("**/trial",timeout=60000); shot(p,'try')
    p.click('.action-bar .btn-primary'); p.wait_for_url("**/done",timeout=60000); shot(p,'done')
    p.goto("/backoffice/import_batch/"); shot(p,'batches')
    p.goto("/backoffice/import_batch/1"); shot(p,'batch')
    p.goto("/backoffice/company/import/"); p.set_input_files('#file','/tmp/w/enti-pubblici.csv'); p.click('main button[type=submit]'); p.wait_for_url("**/columns"); p.click('.action-bar button[type=submit]');p.wait_for_url("**/trial",timeout=60000); shot(p,'again')
    assert 0
