"""The retail tools: the benchmark's names, arguments, checks in their order, refusals and state changes, its faults included."""

import json

from writ.domains import calculator
from writ.domains.database import Record
from writ.domains.retail.operations import (
    RetailOperations,
    is_gift_card,
    is_pending,
    item_of,
    products_by_item,
    sum_of_differences,
    transaction,
    user_ids_by_email,
    user_ids_by_first_name,
)
from writ.domains.retail.records import UserAddress
from writ.domains.toolkit import generic_tool, read_tool, write_tool
from writ.errors import ToolRefused

CANCEL_REASONS = {"no longer needed", "ordered by mistake"}


class RetailTools(RetailOperations):
    @generic_tool
    def calculate(self, expression: str) -> str:
        """Work out an arithmetic expression, rounded to two decimals.

        Args:
            expression: What to work out, for instance '(19.99 + 5) * 2'. Digits, points, spaces, parentheses and the signs + - * / are understood.
        """
        return calculator.calculate(expression)

    @write_tool
    def cancel_pending_order(self, order_id: str, reason: str) -> Record:
        """Call off an order that is still pending, and refund every payment made for it.

        A gift card has its money back at once; any other method takes 5 to 7 business days.
        Tell the customer what will happen and get a clear yes first.

        Args:
            order_id: The order's id with its leading '#', for instance '#W0000000'.
            reason: Why, in one of two wordings: 'no longer needed' or 'ordered by mistake'.
        """
        if self._order(order_id)["status"] != "pending":
            raise ToolRefused("Non-pending order cannot be cancelled")
        if reason not in CANCEL_REASONS:
            raise ToolRefused("Invalid reason")
        order = self.database.edit("orders", order_id)
        refunds = [self._refunded(order["user_id"], payment) for payment in order["payment_history"]]
        order["status"] = "cancelled"
        order["cancel_reason"] = reason
        order["payment_history"].extend(refunds)
        return order

    @write_tool
    def exchange_delivered_order_items(self, order_id: str, item_ids: list[str], new_item_ids: list[str], payment_method_id: str) -> Record:
        """Ask for items of a delivered order to be exchanged for other variants of the same products.

        An order can be exchanged or returned once only, so gather all items before calling. Lay out the exchange and get a clear yes first.

        Args:
            order_id: The order's id with its leading '#', for instance '#W0000000'.
            item_ids: Ids of the items to give back, for instance ['1008292230']; an id stands as often as the item is exchanged.
            new_item_ids: Ids of the items wanted instead, each at the place of the one that it replaces.
            payment_method_id: The customer's payment method that pays or receives the difference, for instance 'credit_card_0000000'.
        """
        if self._order(order_id)["status"] != "delivered":
            raise ToolRefused("Non-delivered order cannot be exchanged")
        order = self._order(order_id)
        self._require_items(order, item_ids, "Number of {} not found.")
        if len(item_ids) != len(new_item_ids):
            raise ToolRefused("The number of items to be exchanged should match.")
        swaps = [self._swap(order, old, new) for old, new in zip(item_ids, new_item_ids, strict=True)]
        difference = round(sum_of_differences(swaps), 2)
        method = self._payment_method(order["user_id"], payment_method_id)
        if is_gift_card(method) and method["balance"] < difference:
            raise ToolRefused("Insufficient gift card balance to pay for the price difference")
        order = self.database.edit("orders", order_id)
        order["status"] = "exchange requested"
        order["exchange_items"] = sorted(item_ids)
        order["exchange_new_items"] = sorted(new_item_ids)
        order["exchange_payment_method_id"] = payment_method_id
        order["exchange_price_difference"] = difference
        return order

    @read_tool
    def find_user_id_by_name_zip(self, first_name: str, last_name: str, zip: str) -> str:
        """Find a customer's user id by name and zip code, for those who do not remember their email.

        Args:
            first_name: First name, for instance 'Mia'; case does not matter.
            last_name: Last name, for instance 'Garcia'; case does not matter.
            zip: Zip code of the customer's own address, for instance '12345'.
        """
        for user_id in self.snapshot.memo("user ids by first name", user_ids_by_first_name).get(first_name.lower(), ()):
            user = self._user(user_id)
            if user["name"]["last_name"].lower() == last_name.lower() and user["address"]["zip"] == zip:
                return user_id
        raise ToolRefused("User not found")

    @read_tool
    def find_user_id_by_email(self, email: str) -> str:
        """Find a customer's user id by email: the way to try first.

        Args:
            email: The email address, for instance 'someone@example.com'; case does not matter.
        """
        user_id = self.snapshot.memo("user ids by email", user_ids_by_email).get(email.lower())
        if user_id is None:
            raise ToolRefused("User not found")
        return user_id

    @read_tool
    def get_order_details(self, order_id: str) -> Record:
        """Show an order: its items, status, address, shipments and payments.

        Args:
            order_id: The order's id with its leading '#', for instance '#W0000000'.
        """
        return self._order(order_id)

    @read_tool
    def get_product_details(self, product_id: str) -> Record:
        """Show a product with all its variants: options, price, and whether each is in stock.

        Args:
            product_id: The product's id, for instance '6086499569'; an item's id is another thing.
        """
        return self._product(product_id)

    @read_tool
    def get_item_details(self, item_id: str) -> Record:
        """Show one item (a product's variant): options, price, and whether it is in stock.

        Args:
            item_id: The item's id, for instance '1008292230'; a product's id is another thing.
        """
        product_id = self.snapshot.memo("products by item", products_by_item).get(item_id)
        if product_id is None:
            raise ToolRefused("Item not found")
        item: Record = self._product(product_id)["variants"][item_id]
        return item

    @read_tool
    def get_user_details(self, user_id: str) -> Record:
        """Show a customer: name, address, email, payment methods and the ids of all their orders.

        Args:
            user_id: The customer's user id, for instance 'mia_garcia_1234'.
        """
        return self._user(user_id)

    @read_tool
    def list_all_product_types(self) -> str:
        """List what the store sells: the name of each product type and its product id, by name."""
        names = {product["name"]: product["product_id"] for product in self.database.values("products")}
        return json.dumps(names, sort_keys=True)

    @write_tool
    def modify_pending_order_address(self, order_id: str, address1: str, address2: str, city: str, state: str, country: str, zip: str) -> Record:
        """Send a pending order to another address. Read the new address back and get a clear yes first.

        Args:
            order_id: The order's id with its leading '#', for instance '#W0000000'.
            address1: Street and number, for instance '12 Elm Street'.
            address2: Flat or suite, for instance 'Apt 3'; may be empty.
            city: City, for instance 'Denver'.
            state: State, for instance 'CO'.
            country: Country, for instance 'USA'.
            zip: Zip code, for instance '80201'.
        """
        if not is_pending(self._order(order_id)):
            raise ToolRefused("Non-pending order cannot be modified")
        address = UserAddress(address1=address1, address2=address2, city=city, state=state, country=country, zip=zip)
        order = self.database.edit("orders", order_id)
        order["address"] = address.model_dump()
        return order

    @write_tool
    def modify_pending_order_items(self, order_id: str, item_ids: list[str], new_item_ids: list[str], payment_method_id: str) -> Record:
        """Replace items of a pending order by other variants of the same products.

        Works once per order, so gather all items before calling. Lay out the change with its price and get a clear yes first.

        Args:
            order_id: The order's id with its leading '#', for instance '#W0000000'.
            item_ids: Ids of the items to replace, for instance ['1008292230']; an id stands as often as the item is replaced.
            new_item_ids: Ids of the items wanted instead, each at the place of the one that it replaces.
            payment_method_id: The customer's payment method that pays or receives the difference, for instance 'credit_card_0000000'.
        """
        order = self._order(order_id)
        if order["status"] != "pending":
            raise ToolRefused("Non-pending order cannot be modified")
        self._require_items(order, item_ids, "{} not found")
        if len(item_ids) != len(new_item_ids):
            raise ToolRefused("The number of items to be exchanged should match")
        swaps = [self._replaced(order, old, new) for old, new in zip(item_ids, new_item_ids, strict=True)]
        difference = sum_of_differences(swaps)
        method = self._payment_method(order["user_id"], payment_method_id)
        if is_gift_card(method) and method["balance"] < difference:
            raise ToolRefused("Insufficient gift card balance to pay for the new item")
        order = self.database.edit("orders", order_id)
        kind = "payment" if difference > 0 else "refund"
        order["payment_history"].append(transaction(kind, abs(difference), payment_method_id))
        self._charge(order["user_id"], payment_method_id, difference)
        for old, new in zip(item_ids, new_item_ids, strict=True):
            item = item_of(order, old)
            # The published fault: every replaced item gets the price and options of the last one's variant.
            item.update(item_id=new, price=swaps[-1].new["price"], options=dict(swaps[-1].new["options"]))
        order["status"] = "pending (item modified)"
        return order

    @write_tool
    def modify_pending_order_payment(self, order_id: str, payment_method_id: str) -> Record:
        """Pay a pending order with another payment method; the first one is refunded. Get a clear yes first.

        Args:
            order_id: The order's id with its leading '#', for instance '#W0000000'.
            payment_method_id: The customer's payment method that pays from now on, for instance 'gift_card_0000000'.
        """
        order = self._order(order_id)
        if not is_pending(order):
            raise ToolRefused("Non-pending order cannot be modified")
        method = self._payment_method(order["user_id"], payment_method_id)
        history = order["payment_history"]
        if len(history) != 1 or history[0]["transaction_type"] != "payment":
            raise ToolRefused("There should be exactly one payment for a pending order")
        former_id, amount = history[0]["payment_method_id"], history[0]["amount"]
        if former_id == payment_method_id:
            raise ToolRefused("The new payment method should be different from the current one")
        if is_gift_card(method) and method["balance"] < amount:
            raise ToolRefused("Insufficient gift card balance to pay for the order")
        order = self.database.edit("orders", order_id)
        order["payment_history"] += [transaction("payment", amount, payment_method_id), transaction("refund", amount, former_id)]
        self._charge(order["user_id"], payment_method_id, amount)
        self._charge(order["user_id"], former_id, -amount)
        return order

    @write_tool
    def modify_user_address(self, user_id: str, address1: str, address2: str, city: str, state: str, country: str, zip: str) -> Record:
        """Change a customer's own address; orders keep theirs. Read the new address back and get a clear yes first.

        Args:
            user_id: The customer's user id, for instance 'mia_garcia_1234'.
            address1: Street and number, for instance '12 Elm Street'.
            address2: Flat or suite, for instance 'Apt 3'; may be empty.
            city: City, for instance 'Denver'.
            state: State, for instance 'CO'.
            country: Country, for instance 'USA'.
            zip: Zip code, for instance '80201'.
        """
        self._user(user_id)
        address = UserAddress(address1=address1, address2=address2, city=city, state=state, country=country, zip=zip)
        user = self.database.edit("users", user_id)
        user["address"] = address.model_dump()
        return user

    @write_tool
    def return_delivered_order_items(self, order_id: str, item_ids: list[str], payment_method_id: str) -> Record:
        """Ask for items of a delivered order to be taken back.

        An order can be exchanged or returned once only, so gather all items before calling.
        Get a clear yes first; how to send the items back follows by email.

        Args:
            order_id: The order's id with its leading '#', for instance '#W0000000'.
            item_ids: Ids of the items to take back, for instance ['1008292230']; an id stands as often as the item is returned.
            payment_method_id: What receives the refund: the method that paid the order, or one of the customer's gift cards.
        """
        order = self._order(order_id)
        if order["status"] != "delivered":
            raise ToolRefused("Non-delivered order cannot be returned")
        method = self._payment_method(order["user_id"], payment_method_id)
        if not is_gift_card(method) and payment_method_id != order["payment_history"][0]["payment_method_id"]:
            raise ToolRefused("Payment method should be the original payment method")
        self._require_items(order, item_ids, "Some item not found")
        order = self.database.edit("orders", order_id)
        order["status"] = "return requested"
        order["return_items"] = sorted(item_ids)
        order["return_payment_method_id"] = payment_method_id
        return order

    @generic_tool
    def transfer_to_human_agents(self, summary: str) -> str:
        """Hand the customer over to a human colleague.

        For two cases only: the customer asks for a human in so many words, or policy and tools leave no way to solve the matter.

        Args:
            summary: What the customer wants and what was done so far.
        """
        return "Transfer successful"
