from app.ui.titled_row import ROW_PX, TitledRow


def test_a_row_is_as_high_as_its_meaning_needs(qtbot, themed):
    row = TitledRow("LeRobot v3", "A data set of one episode; its depth has 12 bits: steps of 1.5 mm at 1 m")
    qtbot.addWidget(row)
    row.show()

    row.resize(800, ROW_PX)
    assert row.minimumHeight() == ROW_PX
    row.resize(300, ROW_PX)
    assert row.minimumHeight() > ROW_PX
    row.resize(800, ROW_PX)
    assert row.minimumHeight() == ROW_PX
