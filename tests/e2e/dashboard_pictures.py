#!/usr/bin/env python3
"""Takes the pictures of the dashboard that are in docs/: a treasury at work on a real node, looked at with a real browser.

usage: tests/e2e/dashboard_pictures.py [DIRECTORY]      default: docs
"""

import pathlib
import sys
import tempfile

from browser import Browser
from harness import Anvil, Bursar, ETHER, HANG_S, ROOT, TREASURY, destination, free_port, wait_until

PEOPLE = ["rent", "audit", "hosting", "payroll-ada", "payroll-grace", "payroll-alan", "grant", "refund", "bounty"]


def payments(month, count, **fields):
    return [{"ref": f"{month}-{PEOPLE[n % len(PEOPLE)]}{'' if n < len(PEOPLE) else f'-{n // len(PEOPLE) + 1}'}",
             "destination": destination(f"{month} {n}"), "amount": f"{(n * 37 + 41) % 90 / 10 + 0.35:.2f}ether", **fields}
            for n in range(count)]


def make_history(node, bursar):
    """A past worth looking at: payments over a few hours, a breaker that was opened, something that failed."""
    for month, count in (("2026-01", 9), ("2026-02", 14), ("2026-03", 7)):
        bursar.pay(payments(month, count), name=f"{month}.csv")
        wait_until(lambda: bursar.queue("queued") + bursar.queue("staged") + bursar.queue("executed") == 0, HANG_S, month)
        node.set_balance(TREASURY, node.balance(TREASURY) + 20 * ETHER)
        wait_until(lambda: bursar.status()["balance"] == str(node.balance(TREASURY)), HANG_S, "the new balance")
    bursar.command("breaker", "open", "--reason", "new hot key, checking the first payments by hand")
    bursar.command("breaker", "close", "--reason", "all as expected")


def main():
    target = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "docs").resolve()
    with tempfile.TemporaryDirectory(prefix="bursar-pictures-") as directory:
        take(pathlib.Path(directory), target)


def take(directory, target):
    node = Anvil(directory / "node", block_time=1).start()
    node.set_balance(TREASURY, 240 * ETHER)
    port = free_port()
    bursar = Bursar(directory / "bursar", settings={
        **Bursar.FAST, "BURSAR_HTTP_LISTEN": f"127.0.0.1:{port}", "BURSAR_MONEY_BREAKER_BALANCE": "off"})
    try:
        bursar.init(node.url)
        token = bursar.command("token", "create", "--name", "night-shift", "--scope", "pay,operate").out.strip()
        bursar.start("run")
        make_history(node, bursar)
        bursar.pay([{"ref": "2026-04-acquisition", "destination": destination("big"), "amount": "900ether",
                     "memo": "second instalment"}], name="big.csv")
        bursar.pay(payments("2026-05", 5, not_before="2030-05-01T08:00:00Z"), name="may.csv")
        bursar.pay([{"ref": "2026-05-bonus", "destination": destination("bonus"), "amount": "2ether",
                     "depends_on": "2026-05-audit"}], name="bonus.csv")
        wait_until(lambda: bursar.status()["blocked"], HANG_S, "the one that can't be paid")
        node.rpc("evm_setIntervalMining", 0)  # what follows stays in flight
        bursar.pay(payments("2026-04", 4), name="april.csv")
        wait_until(lambda: bursar.queue("staged") == 4, HANG_S, "four in flight")
        desk = {"viewport": {"width": 1280, "height": 1240}}
        for name, context in (("light", desk), ("dark", {**desk, "colorScheme": "dark"}),
                              ("phone", {"viewport": {"width": 390, "height": 1240}})):
            picture(Browser(directory / name, **{"colorScheme": "light", **context}), port, token, target, name)
        bursar.command("breaker", "open", "--money", "--reason", "April's list has two salaries twice, asking payroll")
        money_picture(Browser(directory / "money", colorScheme="light", viewport={"width": 1280, "height": 560}), port, token,
                      target)
    finally:
        bursar.end()
        node.kill()


def take_page(browser, port, token, path):
    browser.do("""
        await page.goto(argument.url);
        await page.getByLabel('Token').fill(argument.token);
        await page.keyboard.press('Enter');
        await page.getByRole('link', { name: '2026-04-rent' }).waitFor();
        await page.locator('.uplot canvas').waitFor();
        await page.getByText('Live', { exact: true }).waitFor();
        await page.evaluate(() => scrollTo(0, 0));
        await page.screenshot({ path: argument.path });
    """, {"url": f"http://127.0.0.1:{port}/", "token": token, "path": str(path)})


def money_picture(browser, port, token, target):
    try:
        take_page(browser, port, token, target / "dashboard-money.png")
    finally:
        browser.close()


def picture(browser, port, token, target, name):
    try:
        take_page(browser, port, token, target / f"dashboard-{name}.png")
        if name == "light":
            browser.do("""
                await page.setViewportSize({ width: 1280, height: 800 });
                await page.getByRole('link', { name: '2026-03-audit' }).click();
                await page.getByText('Final: paid for good').waitFor();
                await page.screenshot({ path: argument });
            """, str(target / "dashboard-story.png"))
    finally:
        browser.close()


if __name__ == "__main__":
    main()
