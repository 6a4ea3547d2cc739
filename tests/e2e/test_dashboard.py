"""The dashboard in a real Chromium, over the real program and chain: what a person at it sees and does."""

import re

import contracts
from browser import Browser
from harness import (ETHER, HANG_S, ROOT, TREASURY, csv_text, destination, expected, free_port, rows,
                     wait_until)
from http_client import Http, HttpCase

AXE = ROOT / "node_modules/axe-core/axe.min.js"
SUITES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


class DashboardCase(HttpCase):
    def looking(self, node=None, *, scope="pay,operate", browser=None, prepare=None, **settings):
        """A treasury that is served, and a browser in which somebody has given a token."""
        node = node or self.node()
        settings.setdefault("MONEY_BREAKER_BALANCE", "off")  # these tests take money away, which would open it
        bursar, run, http = super().serving(node, prepare, **settings)
        http.token = token = self.token(bursar, "eve", scope)
        return node, bursar, http, self.sign_in(self.browser(**(browser or {})), http, token)

    def token(self, bursar, name, scope):
        result = self.assert_exit(0, bursar.command("token", "create", "--name", name, "--scope", scope))
        return result.out.strip()

    def leave_one_ether(self, node, http):
        """And wait until the executor has seen it: what it has seen before decides what it sends."""
        node.set_balance(TREASURY, ETHER)
        wait_until(lambda: http.get("/v1/balance").json["balance"] == str(ETHER), HANG_S, "the balance to be seen")

    def browser(self, **context):
        self.browsers = getattr(self, "browsers", 0) + 1
        browser = Browser(self.directory / f"browser-{self.browsers}", **context)
        self.addCleanup(browser.close)
        return browser

    def sign_in(self, browser, http, token):
        self.addCleanup(self.assert_stays_here, browser, http)  # runs before the browser is closed
        browser.do("""
            await page.goto(argument.url);
            await page.getByLabel('Token').fill(argument.token);
            await page.keyboard.press('Enter');
            await page.getByText('Live', { exact: true }).waitFor();
            await page.getByRole('heading', { level: 1 }).waitFor();
        """, {"url": f"http://127.0.0.1:{http.port}/", "token": token})
        return browser

    def assert_stays_here(self, browser, http):
        """Nothing left the machine, nothing was refused by the page's own policy, nothing failed in a script."""
        seen = browser.do("return seen;")
        strangers = [url for url in seen["urls"] if not re.match(rf"http://127\.0\.0\.1:{http.port}/|data:|blob:", url)]
        self.assertEqual(strangers, [])
        self.assertEqual(seen["errors"], [])
        self.assertEqual([text for text in seen["console"] if "Content Security" in text or "TrustedHTML" in text], [])

    def assert_accessible(self, browser, what):
        """What axe finds by WCAG 2.2 AA. It is run from outside: the page's policy lets no script in."""
        found = browser.do("""
            const session = await context.newCDPSession(page);
            await session.send('Runtime.evaluate', { expression: argument.axe });
            const { result } = await session.send('Runtime.evaluate', { awaitPromise: true, returnByValue: true,
              expression: `axe.run(document, { runOnly: ${JSON.stringify(argument.suites)} })
                .then(r => JSON.stringify(r.violations.map(v => [v.id, v.nodes.map(n => n.target.join(' ') + ': ' + n.failureSummary)])))` });
            return JSON.parse(result.value);
        """, {"axe": AXE.read_text(), "suites": SUITES})
        self.assertEqual(found, [], what)

    def drop(self, browser, name, text):
        """As if a file was dragged onto the page from outside."""
        browser.do("""
            const data = await page.evaluateHandle(({ name, text }) => {
              const data = new DataTransfer();
              data.items.add(new File([text], name, { type: 'text/csv' }));
              return data;
            }, argument);
            for (const type of ['dragenter', 'dragover', 'drop']) await page.dispatchEvent('body', type, { dataTransfer: data });
        """, {"name": name, "text": text})

    def wait_text(self, browser, selector, text):
        browser.do("await page.locator(argument[0]).filter({ hasText: argument[1] }).first().waitFor();", [selector, text])

    def text(self, browser, selector):
        return browser.do("return page.locator(argument).innerText();", selector)


class LookTest(DashboardCase):
    def test_without_a_token_it_asks_and_says_how_to_get_one(self):
        bursar, _, http = super().serving()
        browser = self.browser()
        browser.do("await page.goto(argument); await page.getByRole('dialog').waitFor();", f"http://127.0.0.1:{http.port}/")
        self.assertIn("bursar token create", self.text(browser, "dialog[open]"))
        self.assertFalse(browser.do("return page.locator('main').isVisible();"))
        browser.do("await page.getByLabel('Token').fill('bursar_1_nonsense'); await page.keyboard.press('Enter');")
        self.wait_text(browser, "#token-error", "not known")
        browser.do("await page.keyboard.press('Escape');")
        self.assertTrue(browser.do("return page.getByLabel('Token').isVisible();"))
        self.sign_in(browser, http, self.token(bursar, "late", "read"))

    def test_a_revoked_token_is_asked_for_again(self):
        _, bursar, _, browser = self.looking()
        self.assert_exit(0, bursar.command("token", "revoke", "eve"))
        self.wait_text(browser, "#token-error", "revoked")

    def test_it_sees_the_queue_and_what_is_paid_without_a_reload(self):
        node, bursar, _, browser = self.looking()
        self.wait_text(browser, "h1", "All is paid")
        browser.do("await page.evaluate(() => { window.mark = 'not reloaded'; });")
        self.pay(bursar, rows("later", 1, not_before="2100-01-01T00:00:00Z"))
        self.wait_text(browser, "#payments tbody tr", "not before 2100")
        payments = rows("now", 3)
        self.pay(bursar, payments, name="now.csv")
        for n in range(3):
            self.wait_text(browser, f"#payments tbody tr:has-text('now-{n}')", "Paid")
        self.wait_text(browser, ".number:has-text('Paid')", "3")
        self.wait_text(browser, ".number:has-text('Waiting')", "1")
        self.wait_text(browser, "h1", "Nothing is due right now")
        self.assertEqual(browser.do("return page.evaluate(() => window.mark);"), "not reloaded")
        self.assert_chain(node, once=payments)
        self.wait_text(browser, "#nodes", "well, block")
        browser.do("await page.locator('#balance-chart canvas').waitFor();")
        self.wait_text(browser, "#balance-text", "0.000000001 ETH are owed")
        browser.do("await page.getByText('The newest changes').click();")
        browser.do("await page.locator('#balance-table').getByRole('link', { name: 'now-0' }).click();")
        self.wait_text(browser, "dialog[open]", "now-0")

    def test_webhooks_are_shown_where_there_are_any(self):
        def hooked(bursar):
            (bursar.directory / "hook.secret").write_text("a secret of the tests, 32 bytes.")
            for name, events in (("ops", "imported"), ("quiet", "reversed")):  # nobody listens there
                bursar.configure(f"webhook {name}", url=f"http://127.0.0.1:{free_port()}/", secret_file="hook.secret",
                                 events=events, retry_ms="60000")
        _, bursar, _, browser = self.looking(prepare=hooked)
        self.wait_text(browser, "#webhooks li:has-text('quiet')", "up to date, 0 events delivered")
        self.pay(bursar, rows("hook", 1))
        self.wait_text(browser, "#webhooks li:has-text('ops')", "1 event behind, not taken at")
        self.wait_text(browser, "#webhooks li:has-text('ops')", "; next try at")
        self.assert_accessible(browser, "webhooks")

    def test_what_is_owed_in_a_token_is_shown_in_its_own_units(self):
        node, port = self.node(), free_port()
        token = contracts.deploy(node, "Token", 6, 10**12)
        bursar = self.bursar(node, HTTP_LISTEN=f"127.0.0.1:{port}")
        bursar.configure("asset usdc", token=token.address)
        http = Http(port, self.token(bursar, "eve", "read"))
        self.wait_served(bursar.start("run"), http)
        self.pay(bursar, [{"ref": "now", "destination": destination("now"), "amount": "1.5", "asset": "usdc"},
                          {"ref": "later", "destination": destination("later"), "amount": "200", "asset": "usdc",
                           "not_before": "2100-01-01T00:00:00Z"}])
        browser = self.sign_in(self.browser(), http, http.token)
        self.wait_text(browser, ".number:has-text('Owed')", "and 201.5 usdc")
        browser.do("await page.getByText('What is owed in each asset').click();")
        self.wait_text(browser, "#owed-table tr:has-text('usdc')", "1.5")
        self.assert_accessible(browser, "what is owed in each asset")

    def test_what_is_blocked_says_why_and_what_to_do_and_is_paid_once_it_can_be(self):
        node, bursar, http, browser = self.looking()
        self.leave_one_ether(node, http)
        big = [{"ref": "big", "destination": destination("big"), "amount": "5ether"}]
        self.pay(bursar, big)
        self.wait_text(browser, "h1", "can't go on without you")
        self.wait_text(browser, "#needs", "send at least 4")
        self.assertTrue(browser.do("return page.title();").startswith("(1) "))
        browser.do("await page.locator('#needs').getByRole('button', { name: 'big' }).click();")
        self.wait_text(browser, "dialog[open]", "not enough funds")
        node.set_balance(TREASURY, 9 * ETHER)
        self.wait_text(browser, "dialog[open] .story-top", "Paid")
        browser.do("await page.keyboard.press('Escape');")
        self.wait_text(browser, "#needs", "Nothing. It goes on by itself.")

    def test_a_story_has_its_history_its_attempts_and_an_address_of_its_own(self):
        node, bursar, http, browser = self.looking()
        payments = [{**rows("tale", 1)[0], "memo": "<img src=x onerror=alert(1)>"}]
        self.pay(bursar, payments)
        browser.do("await page.getByRole('link', { name: 'tale-0' }).click();")
        self.wait_text(browser, "dialog[open]", "Final: paid for good")
        shown = bursar.show("ref:tale-0")
        self.assertEqual(browser.do("return page.locator('dialog[open] .history li').count();"), len(shown["history"]))
        story = self.text(browser, "dialog[open]")
        self.assertIn(payments[0]["memo"], story)  # as text
        self.assertIn("nonce 0", story)
        hashes = browser.do("return page.locator('dialog[open] .attempts code').evaluateAll(all => all.map(one => one.title));")
        self.assertEqual(hashes, [shown["tx_hash"]])
        browser.do("""
            await context.grantPermissions(['clipboard-read', 'clipboard-write']);
            await page.getByRole('button', { name: 'Copy hash of attempt 1' }).or(page.getByRole('button', { name: 'Copy hash of attempt 0' })).click();
            await page.locator('#announce').filter({ hasText: 'copied' }).waitFor({ state: 'attached' });
        """)
        self.assertEqual(browser.do("return page.evaluate(() => navigator.clipboard.readText());"), shown["tx_hash"])
        self.assertTrue(browser.do("return page.url();").endswith(f"#payment/{shown['id']}"))
        browser.do("await page.reload();")
        self.wait_text(browser, "dialog[open]", "Final: paid for good")
        browser.do("await page.keyboard.press('Escape'); await page.locator('dialog[open]').waitFor({ state: 'detached' });")

    def test_filters_and_search(self):
        _, bursar, _, browser = self.looking()
        self.pay(bursar, rows("paid", 3))
        self.pay(bursar, rows("wait", 30, not_before="2100-01-01T00:00:00Z"), name="wait.csv")
        self.wait_text(browser, ".number:has-text('Paid')", "3")
        browser.do("await page.getByLabel('State').selectOption('finalized');"
                   "await page.waitForFunction(() => document.querySelectorAll('#payments tbody tr').length === 3);")
        browser.do("await page.getByLabel('State').selectOption('');"
                   "await page.getByLabel('Search').fill('wait-1');"
                   "await page.waitForFunction(() => document.querySelectorAll('#payments tbody tr').length === 11);")
        browser.do("await page.getByLabel('Search').fill(argument);"
                   "await page.waitForFunction(() => document.querySelectorAll('#payments tbody tr').length === 1);",
                   destination("paid-2"))
        self.assertIn("paid-2", self.text(browser, "#payments tbody"))
        browser.do("await page.getByLabel('Search').fill('');"
                   "await page.waitForFunction(() => document.querySelectorAll('#payments tbody tr').length === 25);"
                   "await page.getByRole('button', { name: 'Show more' }).click();"
                   "await page.waitForFunction(() => document.querySelectorAll('#payments tbody tr').length === 33);"
                   "await page.getByRole('button', { name: 'Failed 0' }).click();"
                   "await page.getByText('No payment is like that.').waitFor();")

    def test_a_node_that_dies_and_a_program_that_ends_are_told(self):
        node = self.node(keeps_state=True)
        _, bursar, http, browser = self.looking(node)
        self.wait_text(browser, "h1", "All is paid")
        node.stop()
        self.wait_text(browser, "h1", "No node answers")
        self.wait_text(browser, "#needs", "No node answers")
        node.start()
        self.wait_text(browser, "h1", "All is paid")
        bursar.runs[-1].kill()
        self.wait_text(browser, "#live", "trying again")
        again = bursar.start("run")
        self.wait_served(again, http)
        self.wait_text(browser, "#live", "Live")

    def test_a_read_only_token_is_offered_nothing_it_may_not_do(self):
        _, bursar, _, browser = self.looking(scope="read")
        self.pay(bursar, rows("mine", 1, not_before="2100-01-01T00:00:00Z"))
        browser.do("await page.getByRole('link', { name: 'mine-0' }).click();")
        self.wait_text(browser, "dialog[open]", "Taken from a payment file")
        self.assertEqual(browser.do("return page.getByRole('button', { name: /Cancel payment|Stop new|Pay a file/, includeHidden: false }).count();"), 0)


class PayFileTest(DashboardCase):
    def test_a_file_is_dropped_checked_corrected_confirmed_and_paid(self):
        node, bursar, _, browser = self.looking()
        payments = rows("file", 4)
        bad = csv_text(payments).replace("3gwei", "3bananas")
        self.drop(browser, "may.csv", bad)
        self.wait_text(browser, "#import-result", "Line 4, amount")
        self.assertIn("3bananas", self.text(browser, "#import-result pre"))
        self.assertEqual(browser.do("return page.getByRole('button', { name: /^Pay \\d/ }).count();"), 0)
        self.drop(browser, "may.csv", csv_text(payments))
        self.wait_text(browser, "#import-result", "may.csv is in order")
        preview = self.text(browser, "#import-result")
        self.assertIn("0.00000001 ETH in all", preview)
        self.assertEqual(bursar.list()["items"], [])  # nothing yet
        browser.do("await page.getByRole('button', { name: 'Pay 4 payments' }).click();")
        self.wait_text(browser, "#import-result", "4 of 4 paid")
        self.assert_chain(node, once=payments)
        browser.do("await page.keyboard.press('Escape');")
        self.wait_text(browser, "#jobs", "4 of 4 paid")
        browser.do("await page.reload();")
        self.wait_text(browser, "#jobs", "4 of 4 paid")
        browser.do("await page.getByRole('button', { name: 'Dismiss' }).click(); await page.locator('#jobs-section').waitFor({ state: 'hidden' });")
        self.drop(browser, "may.csv", csv_text(payments))
        self.wait_text(browser, "#import-result", "There is nothing new to pay")
        self.assertEqual(bursar.show("ref:file-0")["history"][0]["actor"], "token eve")

    def test_json_lines_and_a_file_that_is_too_large(self):
        _, bursar, _, browser = self.looking(HTTP_MAX_BODY_BYTES=1024)
        browser.do("""
            await page.getByRole('button', { name: 'Pay a file' }).click();
            await page.getByLabel('Put before every ref').fill('night/');
            await page.getByLabel('Choose a file').setInputFiles({ name: 'one.jsonl', mimeType: '', buffer: Buffer.from(argument) });
            await page.getByRole('button', { name: 'Pay 1 payment' }).click();
        """, '{"ref":"json-1","destination":"%s","amount":"7gwei"}\n' % destination("json-1"))
        self.wait_text(browser, "#import-result", "1 of 1 paid")
        self.assertEqual(bursar.show("ref:night/json-1")["state"], "finalized")
        browser.do("await page.getByLabel('Choose a file').setInputFiles({ name: 'big.csv', mimeType: 'text/csv', buffer: Buffer.from(argument) });",
                   csv_text(rows("big", 100)))
        self.wait_text(browser, "#import-result", "at most 1024 bytes")
        self.wait_text(browser, "#import-result", "bursar pay FILE")


    def test_a_long_file_is_followed_while_it_is_paid(self):
        node, _, _, browser = self.looking(TREASURY_MAIN_MAX_IN_FLIGHT=10)
        payments = rows("long", 250)
        self.drop(browser, "long.csv", csv_text(payments))
        browser.do(r"""
            await page.getByRole('button', { name: 'Pay 250 payments' }).click();
            await page.getByText(/\d+ of 250 paid/).first().waitFor();
            await page.waitForFunction(() => {
              const found = document.querySelector('#import-result .job').textContent.match(/(\d+) of 250 paid/);
              return found && Number(found[1]) > 0 && Number(found[1]) < 250;
            }, null, { polling: 20 });
        """)
        self.wait_text(browser, "#import-result", "250 of 250 paid")
        self.assert_chain(node, once=payments)


class DecideTest(DashboardCase):
    def test_the_breaker_is_opened_with_a_reason_and_closed_again(self):
        node, bursar, _, browser = self.looking()
        browser.do("""
            await page.getByRole('button', { name: 'Stop new payments' }).click();
            await page.getByRole('button', { name: 'Open the breaker' }).click();
        """)
        self.assertEqual(bursar.status()["breaker"]["state"], "closed")  # a reason is asked for
        browser.do("""
            await page.getByLabel('Why?').fill('a node answers nonsense');
            await page.getByLabel('For how long?').selectOption('1 hour');
            await page.getByRole('button', { name: 'Open the breaker' }).click();
        """)
        self.wait_text(browser, "h1", "Stopped: the circuit breaker is open")
        self.wait_text(browser, "#breaker", "token eve: a node answers nonsense")
        self.wait_text(browser, "#breaker-history", "a node answers nonsense")
        breaker = bursar.status()["breaker"]
        self.assertEqual(breaker["reason"], "a node answers nonsense")
        self.assertIsNotNone(breaker["half_open_at"])
        payments = rows("held", 2)
        self.pay(bursar, payments)
        self.wait_text(browser, ".number:has-text('Waiting')", "2")
        browser.do("""
            await page.getByRole('button', { name: 'Resume payments' }).click();
            await page.getByLabel('Why?').fill('it is well again');
            await page.keyboard.press('Tab');
            await page.keyboard.press('Enter');
        """)
        self.wait_text(browser, ".number:has-text('Paid')", "2")
        self.wait_text(browser, "#breaker-history li:first-child", "it is well again")
        self.assert_exit(0, bursar.command("breaker", "close", "--for", "1h", "--reason", "it must be tried"))
        self.wait_text(browser, "#breaker", "Held closed until")
        self.wait_text(browser, "body", "The circuit breaker is held closed")
        self.wait_text(browser, "#breaker-history li:first-child", "held for 3600 s: it must be tried")
        self.assert_chain(node, once=payments)

    def cancel(self, browser, ref, reason):
        browser.do("""
            await page.getByRole('link', { name: argument.ref }).click();
            await page.getByRole('button', { name: 'Cancel payment' }).click();
            await page.getByLabel('Why?').fill(argument.reason);
            await page.getByRole('button', { name: 'Cancel the payment' }).click();
            await page.locator('#reason-dialog').waitFor({ state: 'hidden' });
        """, {"ref": ref, "reason": reason})

    def test_what_waits_is_cancelled_at_once(self):
        _, bursar, _, browser = self.looking()
        self.pay(bursar, rows("wait", 1, not_before="2100-01-01T00:00:00Z"))
        self.cancel(browser, "wait-0", "ordered twice")
        self.wait_text(browser, "dialog[open] .story-top", "Cancelled")
        self.wait_text(browser, "dialog[open] .history", "ordered twice")
        self.assertEqual(bursar.show("ref:wait-0")["state"], "cancelled")

    def test_what_is_in_flight_is_cancelled_at_its_nonce(self):
        node, bursar, _, browser = self.looking()
        node.rpc("evm_setIntervalMining", 0)
        payments = rows("fly", 1)
        self.pay(bursar, payments)
        self.wait_text(browser, "#payments tbody tr", "In flight")
        self.cancel(browser, "fly-0", "wrong month")
        self.wait_text(browser, "dialog[open] .attempts", "Uses up the nonce")
        node.rpc("evm_setIntervalMining", 1)
        self.wait_text(browser, "dialog[open] .story-top", "Cancelled")
        self.assert_chain(node, unpaid=payments)

    def test_what_failed_is_tried_again(self):
        node, bursar, _, browser = self.looking()
        node.rpc("evm_setIntervalMining", 0)
        payments = rows("shut", 1)
        self.pay(bursar, payments)
        self.wait_text(browser, "#payments tbody tr", "In flight")
        node.set_code(destination("shut-0"), "0x60006000fd")  # reverts
        node.rpc("evm_setIntervalMining", 1)
        self.wait_text(browser, "#payments tbody tr", "Failed")
        self.wait_text(browser, "#needs", "shut-0")
        node.set_code(destination("shut-0"), "0x")
        browser.do("""
            await page.getByRole('link', { name: 'shut-0' }).click();
            await page.getByRole('button', { name: 'Try again' }).click();
            await page.getByLabel('Why?').fill('it takes money now');
            await page.getByRole('dialog', { name: 'after all' }).getByRole('button', { name: 'Try again' }).click();
        """)
        self.wait_text(browser, "dialog[open] .story-top", "Paid")
        self.wait_text(browser, "dialog[open] .history", "it takes money now")
        self.assert_chain(node, once=payments)


class MoneyTest(DashboardCase):
    """The money breaker, opened by what a person did not expect."""

    def stopped(self, **options):
        node, bursar, http, browser = self.looking(TREASURY_MAIN_MAX_PAYMENTS_PER_HOUR="2", **options)
        payments = rows("many", 3)
        self.pay(bursar, payments)
        self.wait_text(browser, "[role=alert] h2", "The money breaker is open: nothing new is paid")
        return node, bursar, http, browser, payments

    def test_it_says_why_and_what_to_do_and_is_closed_by_keyboard_with_a_reason(self):
        node, bursar, _, browser, payments = self.stopped()
        at = "return page.evaluate(() => document.activeElement.textContent);"
        banner = self.text(browser, "#money")
        for part in ("More is to be paid within an hour than is expected.", "max_payments_per_hour", "by ",
                     "bursar list --state queued"):
            self.assertIn(part, banner)
        self.wait_text(browser, "h1", "Stopped: the money breaker is open")
        self.wait_text(browser, "#breaker-history", "Money breaker opened")
        self.wait_text(browser, "#breaker", "Circuit breaker closed")
        self.assertTrue(browser.do("return page.title();").startswith("(1) "))
        browser.do("await page.locator('#needs').getByRole('button', { name: 'money breaker' }).press('Enter');")
        self.assertIn("The money breaker is open", browser.do(at))
        self.assertIn("Close the money breaker", browser.do("await page.keyboard.press('Tab');" + at))
        browser.do("await page.keyboard.press('Enter'); await page.keyboard.press('Tab'); await page.keyboard.press('Enter');")
        self.assertTrue(browser.do("return page.getByLabel('Why?').isVisible();"), "a reason is asked for")
        self.assertEqual(bursar.status()["breaker"]["money"]["state"], "open")
        browser.do("""
            await page.keyboard.type('the list is right');
            await page.keyboard.press('Tab');
            await page.keyboard.press('Enter');
            await page.waitForFunction(() => document.activeElement.id === 'verdict-title' && !document.querySelector('#money *'));
        """)
        self.assertEqual(bursar.status()["breaker"]["money"]["actor"], "token eve")
        self.wait_text(browser, "#breaker-history", "the list is right")
        self.wait_text(browser, "#money-state", "token eve: the list is right")
        self.wait_text(browser, ".number:has-text('Paid')", "3")
        self.assert_exit(0, bursar.command("breaker", "open", "--reason", "the other one"))
        self.wait_text(browser, "#breaker-history li:first-child", "Circuit breaker opened")
        self.assert_chain(node, once=payments)

    def test_commands_and_what_a_person_wrote_are_told_as_they_are(self):
        _, bursar, _, browser = self.looking()
        self.assert_exit(0, bursar.command("breaker", "open", "--money", "--reason", "bursar.conf is looked at"))
        self.wait_text(browser, "#money", "opened it.")
        banner = self.text(browser, "#money")
        self.assertIn("bursar.conf is looked at", banner)
        self.assertIn("bursar breaker close --money --reason TEXT when it may go on", banner)

    def test_who_only_looks_closes_nothing_and_sees_it_whole_in_light_and_dark_and_on_a_phone(self):
        *_, browser, _ = self.stopped(scope="read")
        self.assertEqual(browser.do("return page.getByRole('button', { name: 'Close the money breaker' }).count();"), 0)
        for scheme in ("light", "dark"):
            browser.do("await page.emulateMedia({ colorScheme: argument });", scheme)
            self.assert_accessible(browser, scheme)
        browser.do("await page.setViewportSize({ width: 360, height: 740 });")
        self.assertLessEqual(browser.do("return page.evaluate(() => document.documentElement.scrollWidth);"), 360)
        self.assertTrue(browser.do("return page.locator('.money-banner').evaluate(one => one.scrollWidth <= one.clientWidth);"))
        self.assert_accessible(browser, "a phone")


class KeyboardTest(DashboardCase):
    def test_the_whole_way_by_keyboard(self):
        _, bursar, _, browser = self.looking()
        self.pay(bursar, rows("key", 3, not_before="2100-01-01T00:00:00Z"))
        self.wait_text(browser, "#payments tbody", "key-0")
        browser.do("await page.reload(); await page.getByText('Live', { exact: true }).waitFor();")
        self.wait_text(browser, "#payments tbody", "key-0")
        browser.do("await page.keyboard.press('Tab');")
        self.assertEqual(browser.do("return page.evaluate(() => document.activeElement.textContent);"), "Skip to payments")
        browser.do("await page.keyboard.press('Enter');")
        tabs = browser.do("""
            for (let n = 0; n < 12; n++) {
              await page.keyboard.press('Tab');
              if (await page.evaluate(() => document.activeElement.matches('#payments tbody a'))) return n;
            }
            return -1;
        """)
        self.assertGreaterEqual(tabs, 0)
        at = "return page.evaluate(() => document.activeElement.textContent);"
        self.assertEqual(browser.do(at), "key-2")
        self.assertEqual(browser.do("await page.keyboard.press('ArrowDown');" + at), "key-1")
        self.assertEqual(browser.do("await page.keyboard.press('End');" + at), "key-0")
        self.pay(bursar, rows("other", 1, not_before="2100-01-01T00:00:00Z"), name="other.csv")
        self.wait_text(browser, "#payments tbody", "other-0")
        self.assertEqual(browser.do(at), "key-0")  # what arrives takes no focus away
        browser.do("await page.keyboard.press('Enter'); await page.locator('dialog[open] .history').waitFor();")
        self.assertEqual(browser.do("""
            for (let n = 0; n < 30; n++) {
              await page.keyboard.press('Tab');
              if (!await page.evaluate(() => document.activeElement === document.body || Boolean(document.activeElement.closest('dialog')))) return false;
            }
            return true;
        """), True)  # stays in the dialog
        browser.do("await page.keyboard.press('Escape'); await page.locator('dialog[open]').waitFor({ state: 'detached' });")
        self.assertEqual(browser.do(at), "key-0")  # and comes back

    def test_axe_finds_nothing_in_light_and_dark_and_dialogs(self):
        for scheme in ("light", "dark"):
            with self.subTest(scheme):
                node, bursar, http, browser = self.looking(browser={"colorScheme": scheme})
                self.leave_one_ether(node, http)
                self.pay(bursar, rows("axe", 3) + [{"ref": "big", "destination": destination("big"), "amount": "5ether"}])
                self.wait_text(browser, "#payments tbody tr:has-text('axe-0')", "Paid")
                self.wait_text(browser, "#needs", "not enough funds")
                self.assert_accessible(browser, "the page")
                browser.do("await page.getByRole('link', { name: 'axe-0' }).click(); await page.locator('dialog[open] .attempts').waitFor();")
                self.assert_accessible(browser, "a story")
                browser.do("await page.keyboard.press('Escape'); await page.getByRole('button', { name: 'Stop new payments' }).click();")
                self.assert_accessible(browser, "a decision")
                browser.do("await page.keyboard.press('Escape');")
                self.drop(browser, "bad.csv", "ref,destination,amount\nx,y,z\n")
                self.wait_text(browser, "#import-result", "Line 2")
                self.assert_accessible(browser, "a file with errors")


class AppearanceTest(DashboardCase):
    def test_dark_is_dark_and_light_is_light(self):
        _, _, _, browser = self.looking(browser={"colorScheme": "dark"})
        shade = "return page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b));"
        self.assertLess(browser.do(shade), 150)
        browser.do("await page.emulateMedia({ colorScheme: 'light' });")
        self.assertGreater(browser.do(shade), 600)

    def test_on_a_phone_nothing_is_wider_than_the_screen(self):
        node, bursar, http, browser = self.looking(browser={"viewport": {"width": 360, "height": 740}, "hasTouch": True})
        self.leave_one_ether(node, http)
        long = {"ref": "r" * 128, "destination": destination("long"), "amount": "5ether", "memo": "m" * 400}
        self.pay(bursar, rows("phone", 3) + [long])
        self.wait_text(browser, "#payments tbody tr:has-text('phone-0')", "Paid")
        self.wait_text(browser, "#needs", "not enough funds")
        wide = "return page.evaluate(() => document.documentElement.scrollWidth);"
        self.assertLessEqual(browser.do(wide), 360)
        browser.do("await page.getByRole('link', { name: 'r'.repeat(128) }).click(); await page.locator('dialog[open] .history').waitFor();")
        self.assertLessEqual(browser.do(wide), 360)
        fits = "return page.locator('dialog[open]').evaluate(one => one.scrollWidth <= one.clientWidth);"
        self.assertTrue(browser.do(fits))
        browser.do("await page.keyboard.press('Escape'); await page.getByRole('button', { name: 'Pay a file' }).click();")
        self.drop(browser, "long.csv", csv_text(rows("p" * 110, 3)))
        self.wait_text(browser, "#import-result", "in order")
        self.assertTrue(browser.do(fits))
