"""The documents that the embedded vector database searches: the papers of a small company that does not exist."""

from dataclasses import dataclass

_PAPERS = """
## Q4 report
Revenue in Q4 rose by 18 percent to 2.4 million euros. October and November were strong, December was quiet.
The results are better than in any quarter before, and the company made a profit.
## Q3 report
Revenue in Q3 rose by 6 percent to 2.0 million euros. July, August and September were weak in the south.
The results are below the forecast, since two large cafes closed.
## Budget for next year
The budget plans 9 million euros of spending: half for salaries, a fifth for servers, the rest for marketing and rent.
Each team lead sees what is left of the team's money every month.
## Travel expenses
Book trains, flights and hotels through the travel desk, at least a week before the trip.
Keep every receipt and claim your expenses within 30 days. Taxis and meals are paid back up to a daily limit.
## Onboarding
What a new employee does in the first week: meet the team, set up accounts, read the handbook, ship a small change.
A buddy answers questions of new starters for the first three months.
## Holidays
Everybody has 28 days of paid holiday a year, besides public holidays. Ask for time off two weeks ahead.
Up to five days that were not taken move to the next year.
## Security incidents
Report a suspected hack, phishing mail, virus or lost device to the security channel at once. Do not switch it off.
The incident lead decides who is told, and writes down what happened.
## On-call rota
Who is on call changes every Monday at noon; the rota names a first and a second engineer.
Alerts page the first one, and the second after ten minutes. Nights on call are paid extra.
## Office coffee machine
The coffee machine on the second floor makes espresso, cappuccino and hot milk. Descale it every Friday.
If it is broken, the kettle and the filter coffee stand in the kitchen.
## Parental leave
Mothers and fathers take up to 16 weeks of paid leave when a baby is born or a child is adopted.
Tell the people team three months before the birth. Coming back part-time is welcome.
## Database migration runbook
Steps for changing the database schema without downtime: add the column, fill it, switch the code, drop the old column.
Try each migration on a copy of PostgreSQL first, and write down how to roll it back.
## Async Python guidelines
A server is slow for everybody when one handler blocks the event loop. Await every wait, and never call time.sleep.
Use an async HTTP client, start tasks together with gather, and give blocking libraries to a thread.
## Customer churn analysis
Of 100 cafes that subscribe, 4 cancel within a year. Most customers who leave do so in the first two months.
Those who never connected their till cancel twice as often.
## Pricing
The basic plan costs 29 euros a month and the plus plan 79. Yearly subscriptions get a discount of two months.
Prices change on the first of March only.
## Product roadmap
Spring brings table orders by phone, summer brings loyalty cards, and autumn a new app for baristas.
Features are ordered by what users ask for most.
## Meeting notes
Notes of the weekly team meeting: agenda, decisions, and who does what until Monday. Open action items stand on top.
## Hiring plan
We recruit two backend developers, a designer and a salesperson this year. Each candidate has three interviews.
Applications are answered within a week, and every job advert names the salary.
## Laptops and equipment
Choose a laptop, a screen, a keyboard and a headset; each is replaced after four years. The IT desk repairs them.
## Remote work
Work from home on as many days as you like, if your team agrees. Core hours are ten to three.
For work from abroad, ask the people team about tax and insurance.
## Data protection and GDPR
We store personal data in Europe only and delete it after two years. GDPR gives everybody a right to see their own.
The privacy officer answers such requests within a month.
## Invoices and payments
Send invoices as PDF with the order number. They are paid within 30 days by bank transfer.
A customer whose payment is overdue gets two reminders. Refunds take five working days.
## Support hours
Customer support answers mail and phone from 8 to 18 on weekdays, and chat on Saturdays too.
A helpdesk ticket gets a first reply within four hours.
## Brand guidelines
Use the green logo on white, with a margin as wide as its cup. Our typeface is rounded and our tone friendly.
Colors, fonts and templates for slides lie in the shared folder.
## Backups
Every database and file store is backed up each night and kept for 35 days in another data center.
To restore a backup, pick its date and run the restore job. We practise recovery once a quarter.
## Vendor contracts
A contract with a supplier over 5,000 euros needs two signatures and a legal review.
Notice periods and renewal dates of all vendors are in the register.
## Passwords and sign-in
Reset a forgotten password on the sign-in page. Use the password manager, and a second factor for every login.
If your account is locked, the IT desk opens it after a call.
## Sick leave
If you are ill, tell your team lead in the morning. A doctor's note is needed from the fourth day.
Pay goes on for six weeks.
## Deployment checklist
Deploy to production from the main branch only, never on Friday afternoon. Watch errors and latency for 15 minutes.
To undo a release, deploy the one before it.
## Code review
Each pull request is read by another engineer before it is merged. Keep it small, with tests and a clear description.
Comment on the code, not on its author.
## API rate limits
Each API key may send 100 requests a minute; more get status 429 with a Retry-After header.
Partners may ask for higher quotas.
"""


@dataclass(frozen=True, slots=True)
class Document:
    """One document of the collection.

    Attributes:
        id: Its name in the database, made from the title: `q4-report`.
        title: What a search shows.
        text: Two or three sentences.

    """

    id: str
    title: str
    text: str


def _read(paper: str) -> Document:
    """Turn one paper, a line of title and the lines of text under it, into a document."""
    title, _, text = paper.partition("\n")
    return Document(id=title.lower().replace(" ", "-"), title=title, text=" ".join(text.split()))


DOCUMENTS: tuple[Document, ...] = tuple(_read(paper) for paper in _PAPERS.split("## ")[1:])
"""Every document, in the order in which equally near ones are found."""
